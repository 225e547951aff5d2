"""The handler of failures, called as kopf calls it."""

from __future__ import annotations

from typing import Any

import kopf
import pytest

from anka_operator.instances.handler import FailureHandler
from support.objects import instance
from support.operator_rig import Rig
from support.scripted_api import Fault

FAILED = {"phase": "Error", "message": "The startup script failed", "finishedAt": "2026-01-01T00:00:00Z"}


@pytest.fixture
def handler(rig: Rig) -> FailureHandler:
    handler = FailureHandler()
    handler.recorder = rig.recorder
    return handler


async def test_a_failure_gets_one_event(rig: Rig, handler: FailureHandler) -> None:
    failed = instance(status=FAILED).to_api()
    await handler.handle("ADDED", failed)
    await handler.handle("MODIFIED", failed)
    (event,) = rig.api.objects["events"].values()
    assert (event["type"], event["message"]) == ("Warning", "The startup script failed")
    await handler.handle("DELETED", failed)
    await handler.handle("ADDED", failed)  # the same event again: the API refuses it, which is right
    assert rig.api.count("create") == 2


@pytest.mark.parametrize(("status", "type_"), [({}, "MODIFIED"), (FAILED, None)])
async def test_no_event(rig: Rig, handler: FailureHandler, status: dict[str, Any], type_: str | None) -> None:
    """It has not failed; or it failed before this process watched."""
    await handler.handle(type_, instance(status=status).to_api())
    assert rig.event_writes() == 0


async def test_no_event_for_another_controllers(rig: Rig, handler: FailureHandler) -> None:
    await handler.handle("MODIFIED", instance(status=FAILED, managedBy="example.com/other").to_api())
    assert rig.event_writes() == 0


async def test_a_process_that_stands_by_posts_nothing(rig: Rig, handler: FailureHandler) -> None:
    handler.recorder = None
    await handler.handle("ADDED", instance(status=FAILED).to_api())
    assert rig.event_writes() == 0
    handler.recorder = rig.recorder
    await handler.handle("MODIFIED", instance(status=FAILED).to_api())
    assert rig.event_writes() == 1


async def test_an_event_that_cannot_be_posted_is_only_logged(
    rig: Rig, handler: FailureHandler, caplog: pytest.LogCaptureFixture
) -> None:
    rig.api.fail("create", Fault(403, reason="Forbidden", message="no"))
    await handler.handle("ADDED", instance(status=FAILED).to_api())
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["event not posted"]


def test_kopf_calls_it_for_instances() -> None:
    registry = kopf.OperatorRegistry()
    FailureHandler().register(registry)
    (found,) = registry._watching.get_all_handlers()
    assert found.selector is not None
    assert found.selector.any_name == "ankainstances"
