from __future__ import annotations

from typing import Any

import pytest

from clients.failing import Reported
from clients.java import JSONException, NullPointerException
from clients.java_sdk import ClientException
from clients.pace import Unhurried
from clients.teamcity import TeamCity
from support.legacy_answers import ELEMENT, GROUP, ID, MISSING, ROW, STATUS, TEMPLATE, VMINFO, but, early, element
from support.scripted_controller import DROPPED, Scripted, ScriptedController, fail, ok

LIST = "GET /api/v1/vm"
START = "POST /api/v1/vm"


@pytest.fixture
def teamcity(controller: ScriptedController) -> TeamCity:
    controller.on(START, ok([ID]))
    controller.on("DELETE /api/v1/vm", ok())
    return TeamCity([controller.url], Unhurried(), profile="job-1")


def waiting(state: str) -> Scripted:
    return ok([{**ELEMENT, "vm": early(state)}])


def test_its_way_to_a_vm(controller: ScriptedController, teamcity: TeamCity) -> None:
    controller.on(LIST, *map(waiting, ("Scheduling", "Scheduling", "Pulling", "Scheduling")), ok([element()]))
    assert teamcity.provision(TEMPLATE, "v1", priority=3) == (ID, "192.168.0.200", 10001)
    assert controller.sent[0].json == {
        "vmid": TEMPLATE,
        "tag": "v1",
        "name_template": "$template_name-$node_name-$ts",
        "external_id": "job-1",
        "priority": 3,
    }


@pytest.mark.parametrize("listed", [[], [element(external_id="other")], [but(ELEMENT, "vm.external_id", MISSING)]])
def test_it_must_be_listed_as_soon_as_it_is_started(
    controller: ScriptedController, teamcity: TeamCity, listed: Any
) -> None:
    controller.on(LIST, ok(listed))
    with pytest.raises(NullPointerException):
        teamcity.provision(TEMPLATE)


@pytest.mark.parametrize(
    ("states", "said", "seconds"),
    [
        (["Scheduling"], "too long for the end of Scheduling", 3604),
        (["Pulling"], "too long for the end of Pulling", 6 * 3600 + 4),
        (["Pulling", "Pulling", "Pulling", "Scheduling"], "too long for the end of Scheduling", 124),
        (["Error"], "is Error", 0),
        (["Stopped"], "is Stopped", 0),
        (["Running"], "is Running", 0),
    ],
)
def test_its_limits(
    controller: ScriptedController, teamcity: TeamCity, states: list[str], said: str, seconds: int
) -> None:
    controller.on(LIST, *map(waiting, states))
    with pytest.raises(Reported, match=said):
        teamcity.provision(TEMPLATE)
    assert controller.requests()[-1] == "DELETE /api/v1/vm"
    assert seconds <= teamcity.pace.waited <= seconds + 8


def test_it_waits_two_minutes_for_an_address(controller: ScriptedController, teamcity: TeamCity) -> None:
    controller.on(LIST, ok([element(vminfo={**VMINFO, "ip": ""})]))
    with pytest.raises(Reported, match="its address"):
        teamcity.provision(TEMPLATE)
    assert 120 <= teamcity.pace.waited <= 128


@pytest.mark.parametrize(
    ("path", "value"), [("vm.external_id", None), ("vm.external_id", 7), ("vm.vminfo", None), ("vm.message", None)]
)
def test_lists_it_breaks_on(controller: ScriptedController, teamcity: TeamCity, path: str, value: Any) -> None:
    controller.on(LIST, ok([but(ELEMENT, path, value)]))
    with pytest.raises(JSONException):
        teamcity.mine()


def test_groups_end_at_the_first_without_a_description(controller: ScriptedController, teamcity: TeamCity) -> None:
    second = {**GROUP, "name": "second", "description": None}
    controller.on("GET /api/v1/group", ok([GROUP, second, {**GROUP, "name": "third"}]))
    assert teamcity.groups() == {"ci": "g-1"}


def test_the_licence(controller: ScriptedController, teamcity: TeamCity) -> None:
    controller.on("GET /api/v1/status", ok(STATUS), ok({**STATUS, "license": "basic"}), ok({**STATUS, "license": None}))
    assert teamcity.is_enterprise()
    assert not teamcity.is_enterprise()
    with pytest.raises(JSONException):
        teamcity.is_enterprise()


def test_templates_to_choose_from(controller: ScriptedController, teamcity: TeamCity) -> None:
    controller.on("GET /api/v1/registry/vm", ok([ROW]), ok([]))
    assert teamcity.choices() == ["macos"]
    assert teamcity.choices() == ["<no templates>"]


def test_it_doubles_its_pauses(controller: ScriptedController, teamcity: TeamCity) -> None:
    controller.on(START, DROPPED)
    with pytest.raises(Reported):
        teamcity.start({"vmid": TEMPLATE})
    assert (len(controller.sent), teamcity.pace.waited) == (7, 63)
    controller.on(START, fail("x", 500))
    with pytest.raises(ClientException):
        teamcity.start({"vmid": TEMPLATE})
    assert len(controller.sent) == 8
