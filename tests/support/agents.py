"""An agent on a simulated Mac against a real apiserver; the test plays the scheduler."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from anka_dev.cloud import LocalCloud
from anka_dev.cloud.macs import CloudMac
from anka_sim.mac import faults
from anka_sim.mac.store import FileStore
from localkube.controlplane import KubernetesCluster

Object = dict[str, Any]
NAMESPACE = "default"
FINALIZER = "anka.veertu.com/vm"
CHANGES = frozenset({"clone", "modify", "start", "stop", "suspend", "delete", "revert", "push"})
SECONDS = 60.0
"""Patience with what others do: it costs nothing where things go well, and a busy machine needs it."""
FAST = ("--poll=0.5", "--heartbeat=1", "--lease-duration=5", "--secret-timeout=2")


class Bench:
    """One Mac with its agent, and a scheduler's hands."""

    def __init__(self, cloud: LocalCloud, mac: CloudMac, template: str) -> None:
        self.cloud = cloud
        self.mac = mac
        self.template = template
        self.kubectl = cloud.kubectl

    # Instances

    def create(self, name: str, *, bind: bool = True, tag: str = "v1", **spec: Any) -> Object:
        """An instance, assigned to this Mac as the scheduler does it."""
        manifest = {
            "apiVersion": "anka.veertu.com/v1alpha1",
            "kind": "AnkaInstance",
            "metadata": {"name": name, "namespace": NAMESPACE, "finalizers": [FINALIZER]},
            # The only Mac: what it cannot do fails.
            "spec": {"template": self.template, "node": self.mac.name, **spec},
        }
        self.kubectl.run("create", "--filename=-", stdin=json.dumps(manifest))
        if bind:
            self.bind(name, tag)
        return self.get(name)

    def bind(self, name: str, tag: str = "v1") -> None:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        resolved = {"id": self.template, "name": "macos", "tag": tag}
        status = {"nodeName": self.mac.name, "phase": "Scheduling", "template": resolved, "scheduledAt": now}
        self.patch(name, {"status": status}, "--subresource=status")

    def patch(self, name: str, body: Object, *flags: str) -> None:
        self.kubectl.run("patch", "ankainstance", name, "--type=merge", f"--patch={json.dumps(body)}", *flags)

    def get(self, name: str) -> Object:
        found: Object = json.loads(self.kubectl.run("get", "ankainstance", name, "--output=json"))
        return found

    def exists(self, name: str) -> bool:
        return bool(self.kubectl.run("get", "ankainstance", name, "--ignore-not-found", "--output=name").strip())

    def delete(self, name: str, *, wait: bool = True) -> None:
        self.kubectl.run("delete", "ankainstance", name, f"--wait={str(wait).lower()}", "--timeout=100s")

    def wait_phase(self, name: str, phase: str, seconds: float = SECONDS) -> Object:
        """The instance as it was when it had this phase, however short it has it."""
        return self.wait_for(name, f"jsonpath={{.status.phase}}={phase}", seconds)

    def wait_for(self, name: str, condition: str, seconds: float = SECONDS) -> Object:
        """The instance as it was when this held for it, by `kubectl wait`."""
        found: Object = json.loads(
            self.kubectl.run(
                "wait", f"--for={condition}", f"ankainstance/{name}", f"--timeout={seconds:g}s", "--output=json",
                timeout=seconds + 10,
            )
        )  # fmt: skip
        return found

    def clear(self) -> None:
        """No faults, no instances on this Mac."""
        self.clear_faults()
        if self.mac.agent is not None and not self.mac.agent.running:
            self.restart()
        flags = ("ankainstances", f"--field-selector=status.nodeName={self.mac.name}", "--ignore-not-found")
        self.kubectl.run("delete", *flags, "--timeout=100s")

    # The Mac

    def vms(self) -> list[Object]:
        return self.mac.vms()

    def commands(self, *words: str) -> list[list[str]]:
        """The anka commands that began with these words, flags in front left out."""
        found = [[word for word in entry["argv"] if word != "--machine-readable"] for entry in self.mac.commands()]
        return [argv for argv in found if argv[: len(words)] == list(words)]

    def looked(self, times: int = 4) -> None:
        """Return once the agent has looked at its VMs so many times more: it has had its turn."""
        before = len(self.commands("list"))
        until(lambda: len(self.commands("list")) >= before + times, what=f"{times} more looks")

    def overtaking(self, seconds: float) -> list[str]:
        """Commands that change a VM and began while one that hung for so long was still at work on it."""
        log = [entry for entry in self.mac.commands() if CHANGES & set(entry["argv"])]
        late = [(entry["ts"], entry["ts"] + entry["ms"] / 1000) for entry in log if entry["ms"] >= seconds * 1000]
        return [" ".join(entry["argv"]) for entry in log for begin, end in late if begin < entry["ts"] < end]

    def fault(self, command: str, action: str, **more: Any) -> None:
        """The next `anka` command of this kind fails, hangs or prints garbage."""
        fault = {"command": command, "action": action, "when": "before", "code": 1, "message": "simulated", **more}
        faults.add(FileStore(str(self.mac.directory)), fault)

    def clear_faults(self) -> None:
        faults.clear(FileStore(str(self.mac.directory)))

    # The agent

    def kill(self) -> None:
        assert self.mac.agent is not None
        self.mac.agent.kill()

    def restart(self) -> None:
        assert self.mac.agent is not None
        self.mac.agent.start()
        self.mac.agent.wait_ready()

    def log(self) -> str:
        assert self.mac.agent is not None
        return self.mac.agent.log.read_text()


def script(text: str, **more: Any) -> Object:
    return {"content": base64.b64encode(text.encode()).decode(), **more}


def until(check: Callable[[], Any], seconds: float = SECONDS, what: str = "") -> Any:
    """The first true value of `check`; for what no kubectl wait can see."""
    end = time.monotonic() + seconds
    while not (value := check()):
        assert time.monotonic() < end, f"not within {seconds:g} s: {what or check}"
        time.sleep(0.1)
    return value


@pytest.fixture(scope="module")
def agent_cloud(installed: KubernetesCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """Registry with template `macos` (tags v1, v2); kinds and roles installed; no operator: tests bind."""
    with LocalCloud(installed, tmp_path_factory.mktemp("agents"), log_level="DEBUG") as cloud:
        cloud.start_registry().add_template("macos", ["v1", "v2"], size=1_000_000)
        yield cloud


@pytest.fixture(scope="module")
def make_bench(agent_cloud: LocalCloud) -> Callable[..., Bench]:
    """Makes Macs with agents; `flags` are the agent's, `config` the simulated Mac's."""

    def make(name: str, *flags: str, held: bool = True, **config: Any) -> Bench:
        assert agent_cloud.registry is not None
        template = agent_cloud.registry.templates[0]
        config = {"max_running": 8, "ram_bytes": 64 << 30, **config}
        mac = agent_cloud.add_mac(name, *FAST, *flags, **config)
        if held:
            for tag in ("v1", "v2"):
                mac.run("registry", "pull", "--tag", tag, template)
        assert mac.agent is not None
        mac.agent.wait_ready()
        return Bench(agent_cloud, mac, template)

    return make
