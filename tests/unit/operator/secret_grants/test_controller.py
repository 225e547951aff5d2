"""The right to read a Secret comes with the bind and goes with the start."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client import REGISTRY

from anka_operator.scheduling.controller import SchedulingController
from anka_operator.secret_grants.controller import FORBIDDEN_SECONDS, LIST_SECONDS, SecretGrantController
from support.objects import instance, node, template
from support.operator_rig import NODES, Rig
from support.scripted_api import Fault

SCRIPT: dict[str, Any] = {"startupScript": {"secretRef": {"name": "scripts", "key": "setup"}}}
WAITS: dict[str, Any] = {"phase": "Scheduling"}
STARTS = {"phase": "Scheduling", "nodeName": "mac-1"}
ELSEWHERE = {"phase": "Scheduling", "nodeName": "mac-2"}
STARTED = {"phase": "Started", "nodeName": "mac-1"}
FORBIDDEN = Fault(403, "Forbidden")


@pytest.fixture
def grants(rig: Rig) -> SecretGrantController:
    return SecretGrantController(rig.cluster, rig.clock, node_namespace=NODES)


def readers(rig: Rig) -> set[tuple[str, str]]:
    """Who may read what, as the API would see it."""
    found = set()
    roles = rig.api.objects.get("roles", {})
    for (namespace, _), binding in rig.api.objects.get("rolebindings", {}).items():
        rules = roles.get((namespace, binding["roleRef"]["name"]), {}).get("rules", [])
        for subject in binding["subjects"]:
            found |= {(subject["name"], secret) for rule in rules for secret in rule["resourceNames"]}
    return found


def calls(rig: Rig) -> int:
    return len([seen for seen in rig.api.seen if "rbac.authorization.k8s.io" in seen.path])


async def test_from_bind_to_start(rig: Rig, grants: SecretGrantController) -> None:
    await rig.put(instance(status=WAITS, **SCRIPT))
    await grants.run_once()
    assert (readers(rig), rig.writes()) == (set(), [])
    await rig.put(instance(status=STARTS, **SCRIPT))
    await grants.run_once()
    assert readers(rig) == {("node-mac-1", "scripts")}
    assert REGISTRY.get_sample_value("anka_operator_secret_rights") == 1
    await grants.run_once()
    assert len(rig.writes()) == 2, "once is enough"
    await rig.put(instance(status=STARTED, **SCRIPT))
    await grants.run_once()
    assert (readers(rig), rig.api.objects["roles"], rig.api.objects["rolebindings"]) == (set(), {}, {})
    assert REGISTRY.get_sample_value("anka_operator_secret_rights") == 0
    await grants.run_once()
    assert len(rig.writes()) == 4


async def test_who_names_no_secret_costs_no_call(rig: Rig, grants: SecretGrantController) -> None:
    await rig.put(instance(status=STARTS, startupScript={"content": "ZWNobw=="}))
    assert await grants.run_once() is None
    assert calls(rig) == 0


@pytest.mark.parametrize("after", [STARTED, WAITS, {"phase": "Error", "nodeName": "mac-1"}])
async def test_whatever_comes_after_ends_it(rig: Rig, grants: SecretGrantController, after: dict[str, Any]) -> None:
    await rig.put(instance(status=STARTS, **SCRIPT))
    await grants.run_once()
    await rig.put(instance(status=after, **SCRIPT))
    await grants.run_once()
    assert readers(rig) == set()


async def test_the_instance_is_gone(rig: Rig, grants: SecretGrantController) -> None:
    one = instance(status=STARTS, **SCRIPT)
    await rig.put(one)
    await grants.run_once()
    await rig.remove(one)
    await grants.run_once()
    assert (rig.api.objects["roles"], rig.api.objects["rolebindings"]) == ({}, {})


async def test_moved_to_another_node(rig: Rig, grants: SecretGrantController) -> None:
    await rig.put(instance(status=STARTS, **SCRIPT))
    await grants.run_once()
    await rig.put(instance(status=ELSEWHERE, **SCRIPT))
    await grants.run_once()
    assert readers(rig) == {("node-mac-2", "scripts")}


async def test_a_new_leader_finds_what_the_old_one_left(rig: Rig, grants: SecretGrantController) -> None:
    await rig.put(instance("stays", status=STARTS, **SCRIPT), instance("went", status=STARTS, **SCRIPT))
    await grants.run_once()
    await rig.put(instance("went", status=STARTED, **SCRIPT))
    # Cut off between the two writes of one.
    half = sorted(rig.api.objects["rolebindings"])[0]
    del rig.api.objects["rolebindings"][half]
    await SecretGrantController(rig.cluster, rig.clock, node_namespace=NODES).run_once()
    assert readers(rig) == {("node-mac-1", "scripts")}
    assert len(rig.api.objects["roles"]) == len(rig.api.objects["rolebindings"]) == 1


async def test_a_right_that_somebody_took_away_is_given_again(rig: Rig, grants: SecretGrantController) -> None:
    await rig.put(instance(status=STARTS, **SCRIPT))
    await grants.run_once()
    rig.api.objects["rolebindings"].clear()
    await grants.run_once()
    assert readers(rig) == set(), "nobody told us"
    rig.clock.advance(LIST_SECONDS)
    await grants.run_once()
    assert readers(rig) == {("node-mac-1", "scripts")}


async def test_where_the_operator_may_not(
    rig: Rig, grants: SecretGrantController, caplog: pytest.LogCaptureFixture
) -> None:
    await rig.put(instance(status=STARTS, **SCRIPT))
    rig.api.fail("list", FORBIDDEN, times=2)
    for _ in range(3):
        due = await grants.run_once()
        assert due is not None
        assert due <= FORBIDDEN_SECONDS
    assert (calls(rig), rig.writes()) == (1, []), "not again at once"
    rig.clock.advance(FORBIDDEN_SECONDS)
    await grants.run_once()
    warnings = [record for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == 1, "said once"
    assert "Secrets of namespace default are not ours to hand out" in warnings[0].getMessage()
    rig.clock.advance(FORBIDDEN_SECONDS)
    await grants.run_once()
    assert readers(rig) == {("node-mac-1", "scripts")}


async def test_a_secret_that_it_may_not_hand_out_is_no_hindrance_to_others(
    rig: Rig, grants: SecretGrantController
) -> None:
    """The apiserver lets nobody grant what he does not hold."""
    other: dict[str, Any] = {"startupScript": {"secretRef": {"name": "others", "key": "setup"}}}
    await rig.put(instance("a", status=STARTS, **SCRIPT), instance("b", status=STARTS, **other))
    rig.api.fail("create", FORBIDDEN)
    await grants.run_once()
    assert len(readers(rig)) == 1
    rig.clock.advance(FORBIDDEN_SECONDS)
    await grants.run_once()
    assert readers(rig) == {("node-mac-1", "scripts"), ("node-mac-1", "others")}


async def test_the_right_is_there_before_the_bind(rig: Rig, grants: SecretGrantController) -> None:
    """Its agent asks as soon as it sees the bind: what it is refused then looks like an attack in the audit log."""
    async with SchedulingController(rig.cluster, rig.clock, rig.view, around_bind=grants.grant_before_bind, window=0.0):
        await rig.put(template(), node(holds=("v2",)), instance("plain"), instance("secret", **SCRIPT))
        await rig.until(lambda: len([seen for seen in rig.writes() if seen.verb == "update"]) == 2)
    written = [seen.path.split("/")[-2:] for seen in rig.writes()]
    of_plain, of_secret = ["plain", "status"], ["secret", "status"]
    assert sorted(written) == sorted([["default", "roles"], ["default", "rolebindings"], of_plain, of_secret])
    assert written.index(["default", "roles"]) < written.index(["default", "rolebindings"]) < written.index(of_secret)
    await grants.run_once()
    assert (readers(rig), len(rig.writes())) == ({("node-mac-1", "scripts")}, 4), "and is not written twice"


async def test_a_look_at_the_namespace_in_between_takes_nothing_away(rig: Rig, grants: SecretGrantController) -> None:
    waiting = instance(status=WAITS, **SCRIPT)
    await rig.put(waiting)
    await grants.run_once()
    async with grants.grant_before_bind(waiting, "mac-1"):
        rig.clock.advance(LIST_SECONDS)
        await grants.run_once()
        assert readers(rig) == {("node-mac-1", "scripts")}
    # The bind failed: nobody has the instance, so nobody has the right.
    await grants.run_once()
    assert readers(rig) == set()


@pytest.mark.parametrize(
    ("verb", "fault"), [("list", FORBIDDEN), ("create", FORBIDDEN), ("create", Fault(500))], ids=str
)
async def test_without_the_right_it_is_bound_all_the_same(
    rig: Rig, grants: SecretGrantController, verb: str, fault: Fault
) -> None:
    waiting = instance(status=WAITS, **SCRIPT)
    await rig.put(waiting)
    rig.api.fail(verb, fault)
    bound = False
    async with grants.grant_before_bind(waiting, "mac-1"):
        bound = True
        await rig.put(instance(status=STARTS, **SCRIPT))
    assert bound
    assert readers(rig) == set()
    rig.clock.advance(FORBIDDEN_SECONDS)
    await grants.run_once()
    assert readers(rig) == {("node-mac-1", "scripts")}


async def test_an_error_of_the_bind_is_the_binds(rig: Rig, grants: SecretGrantController) -> None:
    waiting = instance(status=WAITS, **SCRIPT)
    await rig.put(waiting)
    with pytest.raises(RuntimeError, match="bind"):
        async with grants.grant_before_bind(waiting, "mac-1"):
            raise RuntimeError("bind")
    await grants.run_once()
    assert readers(rig) == set()
