"""`anka-agent`'s commands as a person on a simulated Mac types them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from anka_dev.cloud import LocalCloud
from anka_dev.cloud.macs import CloudMac
from anka_dev.cloud.service import Service
from localkube.free_ports import HOST, free_port

JOINING = "--namespace=anka-joining"


def join_token(cloud: LocalCloud, mac: str, *, freely: bool = False) -> str:
    """A new one, for this Mac. ``freely``: it chooses its groups and its capacity."""
    cloud.kubectl.run("create", "serviceaccount", mac, JOINING)
    if freely:
        role, account = "--clusterrole=anka-join-freely", f"--serviceaccount=anka-joining:{mac}"
        cloud.kubectl.run("create", "rolebinding", mac, JOINING, role, account)
    return cloud.kubectl.run("create", "token", mac, JOINING, "--duration=1h").strip()


class Person:
    """At a new Mac of this cloud, where no agent runs yet."""

    def __init__(self, cloud: LocalCloud, name: str, **config: Any) -> None:
        self.cloud = cloud
        self.name = name
        self.mac = CloudMac(cloud.directory / "macs" / name, name, cloud.registry, config)
        self.state = self.mac.directory / "agent"
        self._port = free_port()

    def types(self, command: str, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """`anka-agent COMMAND …`; it must end with this exit code, and without a traceback."""
        done = subprocess.run(
            [sys.executable, "-m", "anka_agent", command, *words, f"--state-dir={self.state}"],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == code, (done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        return done

    def joins(self, *flags: str, token: str | None = None, code: int = 0) -> subprocess.CompletedProcess[str]:
        cluster = self.cloud.cluster
        token = token or join_token(self.cloud, self.name)
        return self.types(
            "join", cluster.server, f"--token={token}", f"--ca-cert={cluster.ca_file}",
            f"--node-id={self.name}", f"--anka={self.mac.executable}", f"--host={HOST}", f"--health-port={self._port}",
            *flags, code=code,
        )  # fmt: skip

    def starts_the_agent(self) -> Service:
        """With nothing but what `join` wrote down."""
        self.mac.agent = Service(
            f"agent-{self.name}", "anka_agent", ["run", f"--state-dir={self.state}"],
            health_port=self._port, log=self.cloud.directory / "logs" / f"agent-{self.name}.log",
            directory=self.cloud.directory,
        )  # fmt: skip
        self.cloud.macs[self.name] = self.mac
        return self.mac.agent.start()

    def status(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.types("status", "--machine-readable").stdout)["body"]
        return body

    @property
    def token(self) -> Path:
        return self.state / "token"
