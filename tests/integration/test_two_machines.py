"""Two machines with one identity, and two agents on one machine: real agents on simulated Macs, a real apiserver."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from anka_dev.cloud.macs import CloudMac
from anka_dev.cloud.service import Service
from anka_kube.lease import CHALLENGER
from support.agents import Bench, until

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench("original")


def copy_if_there(source: str, target: str) -> str:
    """The agent goes on: a file that it was about to rename may be gone."""
    with suppress(FileNotFoundError):
        shutil.copy2(source, target)
    return target


@pytest.fixture
def clone(bench: Bench, tmp_path: Path) -> Iterator[CloudMac]:
    """A copy of the whole disk, state directory of the agent included, in another machine: VMs do not run there."""
    assert bench.mac.agent is not None
    disk = tmp_path / "clone"
    ignore = shutil.ignore_patterns("*.sock", "*.lock", "commands.log")
    with bench.mac.store.lock():  # no `anka` changes anything meanwhile
        shutil.copytree(
            bench.mac.directory, disk, ignore=ignore, ignore_dangling_symlinks=True, copy_function=copy_if_there
        )
    config = json.loads((disk / "config.json").read_text())
    mac = CloudMac(disk, "original", bench.cloud.registry, {**config, "name": "original"})
    changed = {"--anka": str(mac.executable), "--state-dir": str(disk / "agent"), "--health-port": "0"}
    argv = [word for word in bench.mac.agent.argv[3:] if word.split("=")[0] not in changed]
    argv += [f"{flag}={value}" for flag, value in changed.items()]
    mac.agent = Service(
        "clone", "anka_agent", argv, health_port=1, log=tmp_path / "clone.log", directory=bench.cloud.directory
    )
    yield mac
    mac.agent.kill()
    mac.power_off()


def lease(bench: Bench) -> dict[str, Any]:
    name = bench.mac.name
    found: dict[str, Any] = json.loads(bench.kubectl.run("get", "lease", name, "-n=anka-nodes", "--output=json"))
    return found


def changes_of(mac: CloudMac) -> list[list[str]]:
    """The anka commands that changed something on the clone."""
    looks = ("list", "show", "version", "license", "usb", "registry")
    found = [[word for word in entry["argv"] if word != "--machine-readable"] for entry in mac.commands()]
    return [argv for argv in found if argv[0] not in looks]


def said(mac: CloudMac) -> str:
    assert mac.agent is not None
    return mac.agent.log.read_text() if mac.agent.log.exists() else ""


def test_a_clone_touches_nothing_and_the_original_goes_on(bench: Bench, clone: CloudMac) -> None:
    assert bench.mac.agent is not None
    assert clone.agent is not None
    bench.create("kept")
    bench.wait_phase("kept", "Started")
    before = (bench.get("kept")["metadata"]["resourceVersion"], lease(bench)["spec"]["holderIdentity"])
    clone.agent.start()
    until(lambda: "another machine is this node" in said(clone))
    told = until(lambda: lease(bench)["metadata"].get("annotations", {}).get(CHALLENGER))
    assert json.loads(told)["hardwareUuid"] != json.loads((bench.mac.directory / "agent" / "machine.json").read_text())
    beat = lease(bench)["spec"]["renewTime"]
    until(lambda: lease(bench)["spec"]["renewTime"] > beat)
    assert (bench.get("kept")["metadata"]["resourceVersion"], lease(bench)["spec"]["holderIdentity"]) == before
    assert changes_of(clone) == []
    bench.mac.agent.wait_ready()
    assert "Traceback" not in said(clone)
    bench.delete("kept")
    assert bench.vms() == []


def test_to_replace_the_original_is_one_command_and_the_original_stops(bench: Bench, clone: CloudMac) -> None:
    assert bench.mac.agent is not None
    assert clone.agent is not None
    clone.agent.start()
    until(lambda: "another machine is this node" in said(clone))
    flags = ("--anka=", "--state-dir=", "--kubeconfig=", "--node-name=")
    argv = [*clone.agent.argv[:3], "replace", *(word for word in clone.agent.argv if word.startswith(flags))]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, "This Mac is node original now" in done.stdout) == (0, True), done.stderr
    until(lambda: bench.mac.agent is not None and bench.mac.agent.exit_code is not None)
    assert bench.mac.agent.exit_code == 1
    assert "another machine is this node now" in bench.log()
    bench.create("there")
    bench.wait_phase("there", "Started")
    assert [vm["status"] for vm in clone.vms()] == ["running"]
    assert bench.vms() == []
    bench.delete("there")
    clone.agent.kill()
    # The original, in turn, waits until the other's Lease has run out.
    bench.restart()
    bench.create("back")
    bench.wait_phase("back", "Started")
    bench.delete("back")


def test_disjoin_of_a_copy_does_not_delete_what_it_is_a_copy_of(bench: Bench, clone: CloudMac) -> None:
    assert clone.agent is not None
    (clone.directory / "agent" / "agent.json").write_text("{}")
    flags = ("--anka=", "--state-dir=", "--kubeconfig=", "--node-name=")
    argv = [*clone.agent.argv[:3], "disjoin", "--force", *(word for word in clone.agent.argv if word.startswith(flags))]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "AnkaNode original stays" in done.stdout
    assert bench.kubectl.run("get", "ankanode", "original", "--output=name").strip()
    assert not (clone.directory / "agent" / "agent.json").exists()


def test_a_second_agent_on_one_mac_is_refused_whatever_its_directory_and_name(bench: Bench, tmp_path: Path) -> None:
    assert bench.mac.agent is not None
    argv = [*bench.mac.agent.argv, f"--state-dir={tmp_path}", "--node-name=other"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert "another agent runs on this Mac" in done.stderr
    assert not bench.kubectl.run("get", "ankanode", "other", "--ignore-not-found", "--output=name").strip()
