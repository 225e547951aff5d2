"""kopf handlers, called as kopf calls them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast

import kopf
import pytest

from anka_crds.api.meta import KubeObject
from anka_crds.core.conditions import is_true
from anka_operator.controllers.distributions import Distributions
from anka_operator.controllers.groups import Groups
from anka_operator.controllers.node_life import NodeLife
from anka_operator.controllers.saves import Saves
from anka_operator.controllers.templates import Templates
from anka_operator.handlers import distribution as distribution_handler
from anka_operator.handlers import group as group_handler
from anka_operator.handlers import instance as instance_handler
from anka_operator.handlers import node as node_handler
from anka_operator.handlers import save_image as save_image_handler
from anka_operator.handlers import template as template_handler
from anka_operator.handlers.context import Context
from support.objects import distribution, group, instance, node, save_image, template
from support.operator_rig import NODES, Rig
from support.operator_rig import rig as make_rig
from support.scripted_api import Fault

SAD = {"phase": "Error", "message": "The startup script failed", "finishedAt": "2026-01-01T00:00:00Z"}


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with make_rig() as made:
        yield made


@pytest.fixture
def context(rig: Rig) -> Context:
    return Context(
        recorder=rig.recorder,
        node_life=NodeLife(rig.cluster, rig.clock, rig.recorder, node_namespace=NODES),
        groups=Groups(rig.cluster, rig.clock),
        templates=Templates(rig.cluster, rig.clock, None),
        distributions=Distributions(rig.cluster, rig.clock, lost_seconds=300),
        saves=Saves(rig.cluster, rig.clock),
    )


Handle = Callable[..., Awaitable[None]]


def handler(module: Any, context: Context) -> Handle:
    registry = kopf.OperatorRegistry()
    module.register(registry, context)
    (found,) = registry._watching.get_all_handlers()
    called = cast(Handle, found.fn)  # ours take only what they use of what kopf passes

    async def handle(obj: KubeObject, type_: str | None = "MODIFIED") -> None:
        await called(event={"type": type_}, body=obj.to_api())

    return handle


async def test_a_failure_is_told_once(rig: Rig, context: Context) -> None:
    handle = handler(instance_handler, context)
    await handle(instance(status=SAD), "ADDED")
    await handle(instance(status=SAD))
    (event,) = rig.api.objects["events"].values()
    assert (event["type"], event["message"]) == ("Warning", "The startup script failed")
    await handle(instance(status=SAD), "DELETED")
    await handle(instance(status=SAD), "ADDED")  # the same event again: refused, and that is fine
    assert rig.api.count("create") == 2


@pytest.mark.parametrize(("status", "type_"), [({}, "MODIFIED"), (SAD, None)])
async def test_what_is_no_news(rig: Rig, context: Context, status: dict[str, Any], type_: str | None) -> None:
    """Not failed; or failed before we came."""
    await handler(instance_handler, context)(instance(status=status), type_)
    assert rig.writes() == []


async def test_an_event_that_cannot_be_posted_is_only_logged(
    rig: Rig, context: Context, caplog: pytest.LogCaptureFixture
) -> None:
    rig.api.fail("create", Fault(403, reason="Forbidden", message="no"))
    await handler(instance_handler, context)(instance(status=SAD))
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["event not posted"]


CASES = [
    (group_handler, lambda: group("ios"), "groups"),
    (node_handler, node, "node_life"),
    (template_handler, template, "templates"),
]


@pytest.mark.parametrize(("module", "make", "controller"), CASES, ids=["group", "node", "template"])
async def test_each_is_judged_from_what_kopf_brings(
    rig: Rig, context: Context, module: Any, make: Callable[[], KubeObject], controller: str
) -> None:
    """Also before our own watch has it; twice is as good as once; what is gone is let be."""
    obj = make()
    await rig.put(obj)
    handle = handler(module, context)
    await handle(obj, None)
    assert len(rig.writes()) == 1
    stored = rig.store(obj).get(obj.metadata.name)
    assert stored is not None
    assert is_true(stored.status.conditions, "Ready")
    await handle(obj)
    await handle(stored)
    assert len(rig.writes()) == 1
    await handle(obj, "DELETED")
    await rig.remove(obj)
    rig.api.seen.clear()
    await handle(obj)
    assert [seen.verb for seen in rig.writes()] == ["patch"]


async def test_a_distribution_is_taken_up_from_what_kopf_brings(rig: Rig, context: Context) -> None:
    one = distribution()
    await rig.put(template(), node("a"), one)
    handle = handler(distribution_handler, context)
    await handle(one, "ADDED")
    await handle(one)
    assert len(rig.writes()) == 1
    stored = rig.cluster.stores.distributions.get("request")
    assert stored is not None
    assert stored.status.phase == "Running"
    await handle(stored, "DELETED")
    assert len(rig.writes()) == 1


@pytest.mark.parametrize(("module", "make", "controller"), CASES, ids=["group", "node", "template"])
async def test_what_the_api_refuses_is_left_to_the_controller(
    rig: Rig, context: Context, module: Any, make: Callable[[], KubeObject], controller: str
) -> None:
    obj = make()
    await rig.put(obj)
    getattr(context, controller)._woken.clear()
    rig.api.fail("patch", Fault(500))
    await handler(module, context)(obj)
    assert getattr(context, controller)._woken.is_set()


async def test_a_request_to_save_is_taken_up_at_once(rig: Rig, context: Context) -> None:
    handle = handler(save_image_handler, context)
    vm = {"uuid": "vm-1", "name": "x", "status": "running"}
    await rig.put(node(), instance(status={"phase": "Started", "nodeName": "mac-1", "vm": vm}), save_image())
    (save,) = rig.cluster.stores.saves
    await handle(save, "ADDED")
    assert rig.api.objects["saveimages"][("default", "save")]["status"]["nodeName"] == "mac-1"
    writes = len(rig.writes())
    await handle(save, "DELETED")
    assert len(rig.writes()) == writes
