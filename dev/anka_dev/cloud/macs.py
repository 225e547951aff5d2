"""Simulated Macs and their registry, as parts of a cloud on this machine."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from anka_crds.api.defaults import VM_PREFIX
from anka_dev.cloud.service import Service
from anka_sim.mac import harness as simulated
from anka_sim.registry import seed
from localkube.errors import DevError
from localkube.free_ports import HOST


class RegistryHost:
    """The registry as a process of its own, over files in ``directory``."""

    def __init__(self, directory: Path, port: int, log: Path, flags: Sequence[str] = ()) -> None:
        self.directory = directory
        self.url = f"http://{HOST}:{port}"
        self.templates: list[str] = []
        self._service = Service(
            "registry",
            "anka_sim",
            ["registry", "run", str(directory), f"--host={HOST}", f"--port={port}", *flags],
            health_port=port,
            log=log,
            directory=log.parent.parent,
        )

    def start(self) -> None:
        """Start it; returns once it answers."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self._service.start().wait_ready()

    def stop(self) -> None:
        self._service.stop()

    def add_template(
        self,
        name: str,
        tags: Sequence[str],
        *,
        size: int,
        authorized_keys: str = "",
        arch: str = "arm64",
        uuid: str | None = None,
    ) -> str:
        """Add a template with these tags, oldest first, and SSH keys; returns its UUID. ``size`` in bytes."""
        with tempfile.TemporaryDirectory() as home:
            ssh = Path(home) / ".ssh"
            ssh.mkdir(mode=0o700)
            (ssh / "authorized_keys").write_text(authorized_keys)
            for tag in tags:
                uuid = seed.template(self.directory, name, tag=tag, uuid=uuid, arch=arch, size=size, home=home)
        if uuid is None:
            raise DevError(f"template {name} needs a tag")
        self.templates.append(uuid)
        return uuid


class CloudMac(simulated.Mac):
    """A simulated Mac of a cloud; `agent` is our process on it."""

    def __init__(self, directory: Path, name: str, registry: RegistryHost | None, config: dict[str, Any]) -> None:
        registries = [{"name": "default", "url": registry.url, "default": True}] if registry else []
        super().__init__(directory, {"name": name, "registries": registries, **config})
        self.name = name
        self.agent: Service | None = None

    def run(self, *arguments: str) -> Any:
        """Run ``anka --machine-readable …``; returns the body. DevError with anka's message."""
        done = self.anka("--machine-readable", *arguments)
        lines = [line for line in done.stdout.splitlines() if line.strip()]
        answer = json.loads(lines[-1]) if lines else {"status": "ERROR", "message": done.stderr.decode().strip()}
        if answer["status"] != "OK":
            raise DevError(f"anka {' '.join(arguments)} on {self.name}: {answer['message']}")
        return answer.get("body")

    def vms(self) -> list[dict[str, Any]]:
        """The instances' VMs as ``anka list`` shows them, without templates."""
        return [vm for vm in self.run("list") or [] if vm["name"].startswith(VM_PREFIX)]

    def vm_names(self) -> list[str]:
        return [str(vm["name"]) for vm in self.vms()]
