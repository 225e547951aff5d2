"""The Mac as a node: joining, heartbeat, report, stopping, and an API that goes away."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from anka_crds.rules.lease_usage import parse_usage
from anka_dev.cloud import LocalCloud
from support.agents import Bench, until
from support.cuttable_link import CuttableLink

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench(
        "agent-node",
        "--name=Mac One",
        "--groups=ci,release",
        "--max-vm-count=3",
        usb=[{"id": "1", "name": "phone", "location": "0x14100000"}],
    )


def node(bench: Bench) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(bench.kubectl.run("get", "ankanode", bench.mac.name, "--output=json"))
    return found


def lease(bench: Bench) -> dict[str, Any]:
    name = bench.mac.name
    found: dict[str, Any] = json.loads(bench.kubectl.run("get", "lease", name, "-n=anka-nodes", "--output=json"))
    return found


class TestNode:
    def test_joined_with_what_the_flags_say(self, bench: Bench) -> None:
        spec = node(bench)["spec"]
        assert (spec["displayName"], spec["groups"], spec["maxVmCount"]) == ("Mac One", ["ci", "release"], 3)

    def test_reports_what_it_is(self, bench: Bench) -> None:
        status = until(lambda: len(node(bench)["status"].get("templates", [])) == 2 and node(bench)["status"])
        assert {held["tag"] for held in status["templates"]} == {"v1", "v2"}
        assert status["ipAddress"] == "127.0.0.1"
        assert status["hostArch"] == "arm64"
        assert status["ankaVersion"]["version"] == "3.8.1"
        assert status["ankaVersion"]["licenseStatus"] == "valid"
        assert status["usbDevices"] == [{"locationId": "0x14100000", "name": "phone", "available": True}]
        assert status["cpuCount"] >= 1
        assert "state" not in status, "that is the operator's to write"

    def test_heartbeat_is_a_lease_that_goes_with_the_node(self, bench: Bench) -> None:
        first = lease(bench)
        assert first["spec"]["holderIdentity"].startswith(f"{bench.mac.name}/")
        assert parse_usage(first["metadata"]["annotations"]) is not None
        assert first["spec"]["leaseDurationSeconds"] == 5
        assert first["metadata"]["ownerReferences"][0]["uid"] == node(bench)["metadata"]["uid"]
        until(lambda: lease(bench)["spec"]["renewTime"] > first["spec"]["renewTime"])

    def test_people_own_the_spec(self, bench: Bench) -> None:
        bench.kubectl.run("patch", "ankanode", bench.mac.name, "--type=merge", '--patch={"spec":{"maxVmCount":7}}')
        bench.kill()
        bench.restart()
        assert node(bench)["spec"]["maxVmCount"] == 7

    def test_running_vms_follow_another_address_of_the_mac_at_once(self, bench: Bench) -> None:
        bench.create("moved")
        before = bench.wait_phase("moved", "Started")["status"]["vm"]["hostIp"]
        for address in ("10.9.9.9", before):
            body = json.dumps({"spec": {"host": address}})
            bench.kubectl.run("patch", "ankanode", bench.mac.name, "--type=merge", f"--patch={body}")
            until(lambda address=address: bench.get("moved")["status"]["vm"]["hostIp"] == address)  # type: ignore[misc]
        version = bench.get("moved")["metadata"]["resourceVersion"]
        bench.looked()
        assert bench.get("moved")["metadata"]["resourceVersion"] == version, "nothing changed, nothing written"
        bench.kubectl.run("patch", "ankanode", bench.mac.name, "--type=merge", '--patch={"spec":{"host":null}}')
        bench.delete("moved")

    def test_an_idle_node_is_not_written(self, bench: Bench) -> None:
        until(lambda: bench.mac.agent and bench.mac.agent.ready())

        def rests() -> bool:
            before = node(bench)["metadata"]["resourceVersion"]
            bench.looked()
            return bool(node(bench)["metadata"]["resourceVersion"] == before)

        # What was changed a moment ago may still be told; what is written again and again never rests.
        until(rests, what="a node that nobody writes")

    def test_ready_says_why_not(self, bench: Bench) -> None:
        assert bench.mac.agent is not None
        bench.fault("list", "fail", message="anka is out of order")
        until(lambda: "anka is out of order" in bench.mac.agent.readiness()[1])  # type: ignore[union-attr]
        bench.clear_faults()
        until(lambda: bench.mac.agent and bench.mac.agent.ready())


class TestProcess:
    def test_stops_at_once_and_leaves_the_vms(self, bench: Bench) -> None:
        bench.create("left")
        bench.wait_phase("left", "Started")
        agent = bench.mac.agent
        assert agent is not None
        agent.stop()
        assert agent.exit_code == 0
        assert [vm["status"] for vm in bench.vms()] == ["running"]
        bench.restart()
        bench.delete("left")

    def test_a_second_agent_is_refused(self, bench: Bench) -> None:
        assert bench.mac.agent is not None
        done = subprocess.run(bench.mac.agent.argv, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 2
        assert re.search(r"another agent uses --state-dir .*: stop it, or choose another", done.stderr)
        assert "Traceback" not in done.stderr

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (["--anka=/no/anka"], "install Anka on this Mac, or say where it is with --anka PATH"),
            (["--anka=/bin/true"], "does not work"),
            (["--kubeconfig=/no/file"], "does not exist"),
            (["--state-dir=/proc/nowhere"], "--state-dir /proc/nowhere cannot be used"),
        ],
    )
    def test_what_a_person_must_fix(self, bench: Bench, tmp_path: Path, change: list[str], words: str) -> None:
        assert bench.mac.agent is not None
        argv = [*bench.mac.agent.argv, f"--state-dir={tmp_path}", *change]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 2
        (line,) = [line for line in done.stderr.splitlines() if line.startswith("anka-agent: ")]
        assert words in line
        assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def wire(agent_cloud: LocalCloud) -> Iterator[CuttableLink]:
    wire = CuttableLink(urlsplit(agent_cloud.cluster.server).port or 443)
    yield wire
    wire.close()


@pytest.fixture(scope="module")
def wired(make_bench: Callable[..., Bench], wire: CuttableLink) -> Bench:
    """An agent whose connection to the API we hold in our hands."""
    name = "agent-wired"
    made = make_bench(name, delays={"start": 1.0})
    agent = made.mac.agent
    assert agent is not None
    agent.stop()
    (flag,) = [argument for argument in agent.argv if argument.startswith("--kubeconfig=")]
    path = Path(flag.removeprefix("--kubeconfig="))
    other = path.with_name("wired.kubeconfig")
    server = made.cloud.cluster.server
    other.write_text(path.read_text().replace(server, f"https://127.0.0.1:{wire.port}"))
    agent.argv[agent.argv.index(flag)] = f"--kubeconfig={other}"
    made.restart()
    return made


class TestOutage:
    def test_work_goes_on_and_is_told_later(self, wired: Bench, wire: CuttableLink) -> None:
        wired.create("started-in-the-dark")
        until(lambda: wired.vms())
        wire.cut()
        wired.create("unheard-of")
        until(lambda: [vm["status"] for vm in wired.vms()] == ["running"])
        assert wired.get("started-in-the-dark")["status"]["phase"] == "Scheduling"
        assert wired.mac.agent is not None
        until(lambda: "no heartbeat" in wired.mac.agent.readiness()[1])  # type: ignore[union-attr]
        wired.delete("unheard-of", wait=False)
        wire.mend()
        wired.wait_phase("started-in-the-dark", "Started")
        until(lambda: not wired.exists("unheard-of"))
        until(lambda: wired.mac.agent and wired.mac.agent.ready())
        assert "Traceback" not in wired.log()
        # A VM is never taken for an orphan because the API was away.
        wire.cut()
        wired.looked(11)
        assert [vm["status"] for vm in wired.vms()] == ["running"]
        wire.mend()
        wired.delete("started-in-the-dark")

    def test_an_api_that_is_away_at_the_start(self, wired: Bench, wire: CuttableLink) -> None:
        agent = wired.mac.agent
        assert agent is not None
        agent.stop()
        wire.cut()
        before = len(wired.log())
        agent.start()
        until(lambda: "cannot join" in wired.log()[before:])
        assert not agent.ready()
        assert wired.log()[before:].count("cannot join") == 1
        wire.mend()
        agent.wait_ready()


def test_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "anka_agent", "version"], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.startswith("anka-agent ")
