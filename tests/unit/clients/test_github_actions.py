from __future__ import annotations

import base64
from typing import Any

import pytest

from clients.failing import Broken, Reported
from clients.github_actions import GithubActions
from clients.pace import Unhurried
from clients.typescript import JsTypeError
from support.legacy_answers import ELEMENT, ID, MISSING, TEMPLATE, VM, but, early, vm
from support.scripted_controller import Scripted, ScriptedController, fail, ok

LIST = "GET /api/v1/vm"
SHOW = f"GET /api/v1/vm?id={ID}"
START = "POST /api/v1/vm"


@pytest.fixture
def actions(controller: ScriptedController) -> GithubActions:
    controller.on(START, ok([ID]))
    controller.on(SHOW, ok(VM))
    controller.on(LIST, ok([ELEMENT]))
    controller.on("DELETE /api/v1/vm", ok())
    return GithubActions(controller.url, Unhurried(), token="0123456789")


def test_every_byte_of_a_start(controller: ScriptedController, actions: GithubActions) -> None:
    actions.start(TEMPLATE, "date", "job-1", tag="v1", vcpu=2, group_id="")
    [sent] = controller.sent
    assert sent.headers == [
        "Accept: application/json, text/plain, */*",
        "Content-Type: application/x-www-form-urlencoded",
        "User-Agent: axios/1.7.9",
        f"Content-Length: {len(sent.body)}",
        "Accept-Encoding: gzip, deflate",
        f"Host: {controller.url.removeprefix('http://')}",
        f"Authorization: Basic {base64.b64encode(b':0123456789').decode()}",
        "Connection: keep-alive",
    ]
    assert sent.body.decode() == (
        f'{{"count":1,"vmid":"{TEMPLATE}","tag":"v1","vcpu":2,"startup_script":"ZGF0ZQ==","script_monitoring":true,'
        '"script_fail_handler":1,"external_id":"job-1"}'
    )


def test_a_runner(controller: ScriptedController, actions: GithubActions) -> None:
    # A word it does not know is waited out.
    controller.on(SHOW, ok(early()), ok(early("Pulling")), ok(early("Deploying")), ok(VM))
    assert actions.up(TEMPLATE, "date", "job-1") == ID
    assert actions.down("job-1") == ID
    assert controller.requests() == [START, *[SHOW] * 4, LIST, "DELETE /api/v1/vm"]
    assert "Content-Type: application/json" in controller.sent[-1].headers
    assert actions.pace.waited == 15


@pytest.mark.parametrize(
    ("failed", "said"),
    [
        (vm(instance_state="Error", message="m", startup_script={"stderr": "e"}), "failed: m\ne$"),
        (vm(instance_state="Error", message="m", startup_script={"stderr": ""}), "failed: m$"),
        (vm(instance_state="Error", startup_script=None), "failed: undefined$"),
        (vm(instance_state="Terminated"), "was terminated"),
        (vm(instance_state="Terminating"), "was terminated"),
        (vm(instance_state=""), "has no state"),
        (but(VM, "instance_state", MISSING), "has no state"),
    ],
)
def test_a_runner_that_fails(controller: ScriptedController, actions: GithubActions, failed: Any, said: str) -> None:
    controller.on(SHOW, ok(failed))
    with pytest.raises(Reported, match=said):
        actions.up(TEMPLATE, "date", "job-1")


def test_a_get_right_after_the_post_must_find_it(controller: ScriptedController, actions: GithubActions) -> None:
    controller.on(SHOW, fail("Not found"), ok(VM))
    with pytest.raises(Reported, match="Not found"):
        actions.up(TEMPLATE, "date", "job-1")


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (ok([]), Reported, "no instance"),
        (ok({"id": ID}), JsTypeError, "not iterable"),
        (ok(None), JsTypeError, "not iterable"),
        (Scripted(b"<html>"), Broken, "SyntaxError"),
        (Scripted(b"null"), JsTypeError, "reading 'status'"),
        (Scripted(b'{"status":"FAIL"}'), Reported, "undefined"),
        (Scripted(b"", 302), Reported, "status code 302"),
        (fail("x", 422), Reported, "status code 422"),
    ],
)
def test_starts_it_breaks_on(
    controller: ScriptedController, actions: GithubActions, answer: Scripted, error: type[Exception], said: str
) -> None:
    controller.on(START, answer)
    with pytest.raises(error, match=said):
        actions.start(TEMPLATE, "date", "job-1")


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        ([but(ELEMENT, "external_id", MISSING)], "not found"),
        ([but(ELEMENT, "external_id", None)], "not found"),
        ([but(ELEMENT, "instance_id", MISSING)], "no instance id"),
        ([], "not found"),
    ],
)
def test_it_reads_the_wrapper_and_not_the_vm(
    controller: ScriptedController, actions: GithubActions, listed: Any, said: str
) -> None:
    controller.on(LIST, ok(listed))
    with pytest.raises(Reported, match=said):
        actions.down("job-1")


@pytest.mark.parametrize("body", [None, {}, [None]])
def test_lists_it_breaks_on(controller: ScriptedController, actions: GithubActions, body: Any) -> None:
    controller.on(LIST, ok(body))
    with pytest.raises(JsTypeError):
        actions.down("job-1")
