"""Simulated Macs and their registry, as parts of a cloud on this machine."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from anka_crds.api.node import VM_PREFIX
from anka_dev.cloud.service import HOST, Service
from anka_dev.errors import DevError
from anka_dev.mac import harness as simulated
from anka_dev.registry import seed


class RegistryHost:
    """The registry as a process of its own, over files in ``directory``."""

    def __init__(self, directory: Path, port: int, log: Path) -> None:
        self.directory = directory
        self.url = f"http://{HOST}:{port}"
        self.templates: list[str] = []
        self._service = Service(
            "registry",
            "anka_dev",
            ["registry", "run", str(directory), f"--host={HOST}", f"--port={port}"],
            health_port=port,
            log=log,
            directory=log.parent.parent,
        )

    def start(self) -> None:
        """Returns once it answers."""
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
        """A template with these tags, oldest first, whose user lets these SSH keys in; its UUID. ``size`` in bytes."""
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


class Mac(simulated.Mac):
    """A Mac of a cloud: a simulated one with a name, and with our process on it as `agent`."""

    def __init__(self, directory: Path, name: str, registry: RegistryHost | None, config: dict[str, Any]) -> None:
        registries = [{"name": "default", "url": registry.url, "default": True}] if registry else []
        super().__init__(directory, {"name": name, "registries": registries, **config})
        self.name = name
        self.agent: Service | None = None

    def run(self, *arguments: str) -> Any:
        """``anka --machine-readable …`` as a person on the Mac would; its body. DevError with anka's message."""
        done = self.anka("--machine-readable", *arguments)
        lines = [line for line in done.stdout.splitlines() if line.strip()]
        answer = json.loads(lines[-1]) if lines else {"status": "ERROR", "message": done.stderr.decode().strip()}
        if answer["status"] != "OK":
            raise DevError(f"anka {' '.join(arguments)} on {self.name}: {answer['message']}")
        return answer.get("body")

    def vms(self) -> list[dict[str, Any]]:
        """What ``anka list`` shows of instances' VMs, templates left out."""
        return [vm for vm in self.run("list") or [] if vm["name"].startswith(VM_PREFIX)]

    def vm_names(self) -> list[str]:
        return [str(vm["name"]) for vm in self.vms()]
