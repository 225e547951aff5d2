"""How a central log is listed."""

from __future__ import annotations

from typing import Any

from anka_registry.models import RegistryLog
from anka_shim.logs.answer import LogAnswer, log_answer
from support.rest import shown


def row(service: str, machine: str) -> Any:
    log = {"service": service, "machine_name": machine, "size": 5, "modified": 1_700_000_000}
    answer = shown(log_answer(RegistryLog.model_validate(log), "anka-ci"))
    LogAnswer.model_validate(answer)
    return answer


def test_a_row_says_where_its_content_is() -> None:
    agent, instance = row("anka_agent", "mac 1"), row("instance-i1", "mac-1")
    assert (agent["file"], agent["instance_id"]) == ("/logs/file?node_id=mac+1", None)
    assert (instance["file"], instance["instance_id"]) == ("/logs/file?node_id=mac-1&instance_id=i1", "i1")
    assert row("anka_shim", "pod-1")["file"] == "/logs/file?node_id=pod-1&service=anka_shim"
    assert row("anka_operator", "pod-2")["instance_id"] is None
    assert instance["modified"] == "2023-11-14T22:13:20Z"
    assert row("event", "event")["file"] == "/logs/file?node_id=event&service=event"
    assert row("anka-controller", "c")["file"] is None
