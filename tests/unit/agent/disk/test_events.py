from __future__ import annotations

from typing import Any, cast

import pytest

from anka_agent.disk.events import MESSAGE_LIMIT, NodeEvents
from anka_crds.api import AnkaNode
from anka_crds.kube.errors import Forbidden
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


def events(client: Client, about: AnkaNode | None) -> NodeEvents:
    return NodeEvents(cast(Any, client), lambda: about, ManualClock())


async def test_about_the_own_node() -> None:
    client = Client()
    await events(client, node("mac-1")).tell("Warning", "NoDiskSpace", "x" * 5000)
    ((label, body, namespace),) = client.made
    assert (label, namespace) == ("events", "default")
    assert body["involvedObject"] == {
        "apiVersion": "anka.veertu.com/v1alpha1", "kind": "AnkaNode", "name": "mac-1", "uid": "uid-mac-1",
    }  # fmt: skip
    assert (body["type"], body["reason"], len(body["message"])) == ("Warning", "NoDiskSpace", MESSAGE_LIMIT)
    assert body["metadata"]["name"].startswith("mac-1.")


async def test_one_that_is_refused_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    refused = Client(Forbidden(403, "Forbidden", "no", action="create events"))
    await events(refused, node("mac-1")).tell("Normal", "TemplateRemoved", "removed")
    assert "an Event is not written" in caplog.text


async def test_without_a_node_only_the_log_has_it() -> None:
    client = Client()
    await events(client, None).tell("Normal", "TemplateRemoved", "removed")
    assert client.made == []
