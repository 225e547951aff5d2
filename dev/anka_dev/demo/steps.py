"""The demo, step by step."""

from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path

from anka_dev.cloud import LocalCloud
from anka_dev.demo.access import DemoAccess
from anka_dev.demo.printer import Printer
from anka_dev.demo.shell import DemoCommand, shorten_path
from anka_dev.repository import EXAMPLES
from localkube.controlplane import KubernetesCluster
from localkube.controlplane.kubectl import find_kubectl
from localkube.errors import DevError

TEMPLATE = "macos-15"
TAG = "vanilla"
INSTANCE = "hello"
_READY_SECONDS = 180.0
# What a Mac with a fast disk and a template of a few hundred megabytes might take.
_MAC = {
    "delays": {"clone": 0.2, "start": [0.4, 1.2], "network": 0.4, "stop": 0.1, "pull_bytes_per_second": 400_000_000},
    "ram_bytes": 32 << 30,
}
_TEMPLATE_BYTES = 600_000_000


class Demo:
    """Brings a cloud up on ``cluster`` and keeps it; leaving it takes it down.

    ``stop`` is set when the user ends the demo. ``closed``: the REST API answers only who logs in.
    """

    def __init__(
        self,
        cluster: KubernetesCluster,
        directory: Path,
        printer: Printer,
        stop: threading.Event,
        *,
        closed: bool = False,
    ) -> None:
        self.cloud = LocalCloud(cluster, directory)
        self.directory = directory
        self.printer = printer
        self.stop = stop
        self.apply_to_ready_seconds = 0.0
        self._access = DemoAccess(self.cloud, directory / "access") if closed else None
        self._key = directory / "ssh" / "id_ed25519"

    def __enter__(self) -> Demo:
        return self

    def __exit__(self, *_: object) -> None:
        self.cloud.stop()

    def bring_up(self, port: int) -> None:
        """Start all parts, up to two Macs that can run VMs."""
        say, cloud = self.printer.say, self.cloud
        cloud.install()
        say("installed: all kinds, admission policies, namespaces, roles")
        public_key = self._make_key()
        registry = cloud.start_registry()
        registry.add_template(TEMPLATE, [TAG], size=_TEMPLATE_BYTES, authorized_keys=public_key)
        say(f"registry: {registry.url} with template {TEMPLATE}, tag {TAG}")
        if self._access is None:
            cloud.start_operator(port=8081)
            cloud.start_shim(port=port)
        else:
            self._access.start_parts(8081, port)
        cloud.add_mac("mac-01", "--groups=ios", **_MAC)
        cloud.add_mac("mac-02", "--groups=general", **_MAC)
        say("starting: operator, API shim, two simulated Macs with an agent each")
        cloud.wait_ready()
        say(f"operator, shim ({cloud.url}) and agents are ready")

    def apply_examples(self) -> None:
        """``kubectl apply -f examples/``, and wait until the instances are Ready, printing their progress.

        Instances that an example saves as an image are left out: they are deleted soon after."""
        applied = time.monotonic()
        self.cloud.kubectl.run("apply", f"--filename={EXAMPLES}")
        self.printer.say("kubectl apply -f examples/")
        waiting = subprocess.Popen(
            [
                *self._kubectl(),
                "wait",
                "--for=condition=Ready",
                *(f"ankainstance/{name}" for name in self._instances_to_keep()),
                f"--timeout={_READY_SECONDS:g}s",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        while waiting.poll() is None and not self.stop.is_set():
            self._print_progress()
            # Only the printed progress depends on this pause; kubectl itself waits by a watch.
            time.sleep(0.2)
        if self.stop.is_set():
            waiting.terminate()
            raise DevError("stopped before the instance was ready")
        self.apply_to_ready_seconds = time.monotonic() - applied
        if waiting.returncode:
            stderr = waiting.stderr.read().strip() if waiting.stderr else ""
            raise DevError(f"the instances did not become Ready: {stderr} (logs: {self.directory / 'logs'})")
        self._print_progress()
        self.printer.say(f"Ready {self.apply_to_ready_seconds:.1f} s after kubectl apply")

    def instances_to_save(self) -> list[str]:
        """Names of the instances that an example saves as an image."""
        return self._words("saveimages", "{.items[*].spec.instance}")

    def _instances_to_keep(self) -> list[str]:
        leaving = self.instances_to_save()
        return [name for name in self._words("ankainstances", "{.items[*].metadata.name}") if name not in leaving]

    def _words(self, kind: str, path: str) -> list[str]:
        return self.cloud.kubectl.run("get", kind, f"--output=jsonpath={path}").split()

    def print_commands(self) -> None:
        plain = self.printer.plain
        plain()
        for command in self.commands():
            plain(f"  {command.title}")
            plain(f"    {command.line}")
        plain()
        plain(f"  Logs are in {shorten_path(self.directory / 'logs')}. Ctrl-C stops everything.")

    def commands(self) -> list[DemoCommand]:
        """What a person can do now; the last one goes into the VM."""
        kubectl = f"{shorten_path(find_kubectl())} --kubeconfig {shorten_path(self.cloud.cluster.kubeconfig)}"
        host, port = self._ssh_address()
        ssh = (
            f"ssh -i {shorten_path(self._key)} -p {port} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
            f" -o LogLevel=ERROR anka@{host}"
        )
        everything = (f"ankainstance.anka.veertu.com/{INSTANCE}", "Started", "Active")
        rest = DemoCommand(
            "The old REST API, as CI plugins use it:",
            f"curl -s {self.cloud.url}/api/v1/vm",
            ('"instance_state":"Started"',),
        )
        return [
            DemoCommand("The whole cloud:", f"{kubectl} get anka -A", everything),
            DemoCommand("One instance, with its story:", f"{kubectl} describe ankainstance {INSTANCE}", ("Started",)),
            *([rest] if self._access is None else self._access.commands(kubectl)),
            DemoCommand(
                f"All of it in a browser, live, at {self.cloud.url}/portal/ – it is there:",
                f"curl -s {self.cloud.url}/portal/ | head -7",
                ("<title>Anka",),
            ),
            DemoCommand(
                "Into the VM:", f"{ssh} 'echo \"hello from $USER on $VM_NAME, in $PWD\"'", ("hello from anka on ",)
            ),
        ]

    def _ssh_address(self) -> tuple[str, int]:
        path = "{.status.vm.hostIp} {.status.vm.portForwarding[?(@.guestPort==22)].hostPort}"
        answer = self.cloud.kubectl.run("get", "ankainstance", INSTANCE, f"--output=jsonpath={path}")
        host, _, port = answer.partition(" ")
        if not port.isdigit():
            raise DevError(f"instance {INSTANCE} has no forwarded SSH port: {answer!r}")
        return host, int(port)

    def _print_progress(self) -> None:
        names = {item["instance_id"]: item["vm"] for item in self.cloud.rest("GET", "/api/v1/vm").get("body") or []}
        states = []
        for vm in sorted(names.values(), key=lambda vm: str(vm.get("tag"))):
            progress = f" {vm['progress']:.0%}" if vm["instance_state"] == "Pulling" and vm["progress"] else ""
            states.append(f"{vm['instance_state']}{progress}" + (f" on {vm['node_id']}" if vm.get("node_id") else ""))
        if states:
            self.printer.say("instances: " + ", ".join(states))

    def _make_key(self) -> str:
        self._key.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "anka-demo", "-f", str(self._key)], check=True
        )
        return self._key.with_suffix(".pub").read_text()

    def _kubectl(self) -> list[str]:
        return [str(find_kubectl()), f"--kubeconfig={self.cloud.cluster.kubeconfig}"]
