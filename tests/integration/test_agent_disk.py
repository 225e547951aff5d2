"""A Mac whose disk fills: what was not used for longest goes, what is needed stays, and what cannot fit says so."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.agents import Bench, Object, until

pytestmark = pytest.mark.integration


@pytest.fixture
def bench(make_bench: Callable[..., Bench], tmp_path: Path) -> Iterator[Bench]:
    made = make_bench("agent-disk", held=False, disk_bytes=shutil.disk_usage(tmp_path).total)
    yield made
    made.clear()


def events(bench: Bench, reason: str) -> list[str]:
    selector = f"--field-selector=involvedObject.kind=AnkaNode,involvedObject.name={bench.mac.name},reason={reason}"
    found = json.loads(bench.kubectl.run("get", "events", "--namespace=default", selector, "--output=json"))
    return [str(event["message"]) for event in found["items"]]


def ends(bench: Bench, name: str, template: str, phase: str) -> Object:
    bench.template = template
    bench.create(name)
    status: Object = bench.wait_phase(name, phase)["status"]
    return status


def test_a_disk_that_fills(bench: Bench, tmp_path: Path) -> None:
    total = shutil.disk_usage(tmp_path).total
    registry = bench.cloud.registry
    assert registry is not None
    sizes = {"disk-a": 30, "disk-b": 30, "disk-new": 45, "disk-edge": 20, "disk-huge": 90}
    uuids = {name: registry.add_template(name, ["v1"], size=total * share // 100) for name, share in sizes.items()}

    def held() -> set[str]:
        return {name for name, uuid in uuids.items() if uuid in {vm["uuid"] for vm in bench.mac.run("list")}}

    ends(bench, "one", uuids["disk-a"], "Started")
    ends(bench, "two", uuids["disk-b"], "Started")
    bench.delete("two")
    assert held() == {"disk-a", "disk-b"}
    # disk-a was used before disk-b, but an instance needs it.
    ends(bench, "three", uuids["disk-new"], "Started")
    assert held() == {"disk-a", "disk-new"}
    (message,) = until(lambda: events(bench, "TemplateRemoved"), what="the removal is told")
    assert message.startswith("Removed disk-b:v1 (")
    assert message.endswith(f" to make room for {uuids['disk-new']}:v1")
    # What the Mac no longer holds is not told any more: the scheduler goes by it.
    node = ("get", "ankanode", bench.mac.name, "--output=jsonpath={.status.templates[*].name}")
    until(lambda: sorted(bench.kubectl.run(*node).split()) == ["disk-a", "disk-new"])

    for name in ("disk-huge", "disk-edge"):
        status = ends(bench, name, uuids[name], "Error")
        assert status["message"].startswith("the template needs ")
        assert status["message"].endswith(" are kept in reserve; nothing more can be removed")
        assert [c["reason"] for c in status["conditions"] if c["type"] == "Ready"] == ["NoDiskSpace"]
    assert held() == {"disk-a", "disk-new"}
    until(lambda: len(events(bench, "NoDiskSpace")) == 2, what="each refusal is told")

    change = '{"spec":{"reserveSpacePercent":0,"host":"127.0.0.2"}}'
    bench.kubectl.run("patch", "ankanode", bench.mac.name, "--type=merge", f"--patch={change}")
    # The address shows that the agent has heard of the change.
    until(lambda: bench.get("one")["status"]["vm"]["hostIp"] == "127.0.0.2")
    ends(bench, "edge", uuids["disk-edge"], "Started")
    assert held() == {"disk-a", "disk-new", "disk-edge"}
