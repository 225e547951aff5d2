from __future__ import annotations

from typing import Any, cast

import pytest

from anka_agent.node.events import MESSAGE_LIMIT, NodeEvents
from anka_agent.node.view import NodeView
from anka_crds.api import AnkaNode
from anka_crds.api.conditions import EventReason
from anka_crds.resources import NODES
from anka_kube.errors import Forbidden
from anka_kube.store import Store
from support.manual_clock import ManualClock
from support.objects import node


class Client:
    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.made: list[tuple[str, dict[str, Any], str]] = []

    async def create(self, resource: Any, body: dict[str, Any], namespace: str) -> None:
        if self.error is not None:
            raise self.error
        self.made.append((resource.label, body, namespace))


def view(about: AnkaNode | None) -> NodeView:
    nodes: Store[AnkaNode] = Store(NODES)
    if about is not None:
        nodes.apply_written(about)
    return NodeView(nodes, node("mac-1"), lambda: None)


def events(client: Client, about: AnkaNode | None) -> NodeEvents:
    return NodeEvents(cast(Any, client), view(about), ManualClock())


async def test_about_the_own_node() -> None:
    client = Client()
    await events(client, node("mac-1")).record("Warning", EventReason.NO_DISK_SPACE, "x" * 5000)
    ((label, body, namespace),) = client.made
    assert (label, namespace) == ("events", "default")
    assert body["involvedObject"] == {
        "apiVersion": "anka.veertu.com/v1alpha1", "kind": "AnkaNode", "name": "mac-1", "uid": "uid-mac-1",
    }  # fmt: skip
    assert (body["type"], body["reason"], len(body["message"])) == ("Warning", "NoDiskSpace", MESSAGE_LIMIT)
    assert body["metadata"]["name"].startswith("mac-1.")


async def test_one_that_is_refused_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    refused = Client(Forbidden(403, "Forbidden", "no", action="create events"))
    await events(refused, node("mac-1")).record("Normal", EventReason.TEMPLATE_REMOVED, "removed")
    assert "an Event is not written" in caplog.text


async def test_without_a_node_only_the_log_has_it() -> None:
    client = Client()
    await events(client, None).record("Normal", EventReason.TEMPLATE_REMOVED, "removed")
    assert client.made == []
