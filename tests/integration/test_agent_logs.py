"""An agent's logs arrive at the registry: with the instance's id, without secrets, and through an outage of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support.agents import NAMESPACE, Bench, script, until

pytestmark = pytest.mark.integration

UUID = "c983c3bf-a0c0-43dc-54dc-2fd9f7d62fce"
PASSWORD = "correct-horse"
SCRIPT = "echo battery-staple >&2; exit 3"


@pytest.fixture(scope="module")
def bench(make_bench: Callable[..., Bench]) -> Iterator[Bench]:
    bench = make_bench("mac-logs")
    yield bench
    bench.clear()


def text(bench: Bench, service: str) -> str:
    assert bench.cloud.registry is not None
    file = bench.cloud.registry.directory / "files" / "central-logs" / service / f"{bench.mac.name}.log"
    return file.read_text() if file.exists() else ""


def lines(bench: Bench, service: str) -> list[dict[str, Any]]:
    """The whole ones: the last may be on its way."""
    return [json.loads(line) for line in text(bench, service).splitlines(keepends=True) if line.endswith("\n")]


def said(bench: Bench, service: str, message: str) -> bool:
    return any(line["message"] == message for line in lines(bench, service))


def test_what_happens_to_an_instance_is_in_its_log(bench: Bench) -> None:
    # Before the instance is there: the agent is fast.
    bench.fault("start", "fail", message=f"said {PASSWORD} and {SCRIPT}", times=1)
    uid = bench.create(
        "logged", vncPassword=PASSWORD, startupScript=script(SCRIPT, condition="Booted", monitoring=True)
    )["metadata"]["uid"]
    bench.wait_phase("logged", "Error")
    bench.delete("logged")
    service = f"instance-{uid}"
    until(lambda: said(bench, service, "VM removed, instance released"), what="the last line about it")
    found = lines(bench, service)
    assert {line["instance_id"] for line in found} == {uid}
    assert {"anka clone", "anka start", "anka delete"} <= {line["message"] for line in found}
    (failed,) = [line for line in found if line["level"] == "WARNING"]
    assert failed["reason"] == "StartFailed"
    assert "said [hidden] and" in failed["message"], "it was said, and is covered"
    until(lambda: uid in text(bench, "anka_agent"), what="what the agent's own log says of it")
    everything = text(bench, "anka_agent") + text(bench, service)
    assert PASSWORD not in everything


def test_an_instance_with_a_uuid_for_a_name_has_a_log_of_its_own(bench: Bench) -> None:
    uid = live(bench, UUID)
    service = f"instance-{NAMESPACE}_{UUID}_{uid}"
    until(lambda: said(bench, service, "VM removed, instance released"), what="the last line about it")
    assert {(line["instance"], line["uid"]) for line in lines(bench, service)} == {(f"{NAMESPACE}/{UUID}", uid)}


def test_another_instance_neither_uncovers_a_secret_nor_censors_the_log(bench: Bench) -> None:
    uid = bench.create("secretive", vncPassword=PASSWORD)["metadata"]["uid"]
    bench.wait_phase("secretive", "Started")
    words = ['"level":', '"message": "anka delete"', "VM removed, instance released", f'"instance_id": "{uid}"']
    crowd = "\n".join(["exit 0", *words, *(f"echo {number} is a line as good as any" for number in range(2000))])
    bench.create("crowd", startupScript=script(crowd, condition="Booted", monitoring=True))
    bench.wait_phase("crowd", "Started")
    bench.fault("delete", "fail", message=f"said {PASSWORD}", times=1)
    bench.delete("secretive")
    bench.delete("crowd")
    service = f"instance-{uid}"
    until(lambda: said(bench, service, "VM removed, instance released"), what="the last line about it")
    found = lines(bench, service)
    assert any("said [hidden]" in line["message"] for line in found)
    assert PASSWORD not in text(bench, "anka_agent")
    assert {line["instance_id"] for line in found} == {uid}


def test_a_registry_that_is_away_costs_no_line(bench: Bench) -> None:
    registry = bench.cloud.registry
    assert registry is not None
    registry.stop()
    try:
        uid = bench.create("through-an-outage")["metadata"]["uid"]
        bench.wait_phase("through-an-outage", "Started")
        bench.delete("through-an-outage")
    finally:
        registry.start()
    service = f"instance-{uid}"
    until(lambda: said(bench, service, "VM removed, instance released"), what="the outage's lines")
    assert said(bench, service, "anka clone")

    def mine() -> int:
        return sum(f'"instance_id": "{uid}"' in line for line in bench.log().splitlines())

    until(lambda: len(lines(bench, service)) == mine(), what="each line once")


def live(bench: Bench, name: str) -> str:
    """An instance starts and is gone; its uid."""
    uid: str = bench.create(name)["metadata"]["uid"]
    bench.wait_phase(name, "Started")
    bench.delete(name)
    return uid


def test_logs_stay_on_the_mac_when_people_want_it(bench: Bench) -> None:
    node = ("ankanode", bench.mac.name, "--type=merge")
    bench.kubectl.run("patch", *node, '--patch={"spec":{"disableCentralLogging":true}}')
    until(lambda: "logs stay on this Mac" in bench.log(), what="the agent obeys")
    quiet = live(bench, "quiet")
    bench.kubectl.run("patch", *node, '--patch={"spec":{"disableCentralLogging":false}}')
    loud: list[str] = []

    def heard() -> bool:
        loud.append(live(bench, f"loud-{len(loud)}"))
        return any(text(bench, f"instance-{uid}") for uid in loud)

    until(heard, what="logs that are sent again")
    assert (text(bench, f"instance-{quiet}"), quiet in bench.log()) == ("", True)
