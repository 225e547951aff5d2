"""A cloud for the old controller's clients: what their administrators set up, and the way into their VMs."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from anka_dev.cloud import LocalCloud
from clients.pace import Pace
from support.cloud import FAST_MAC, TAG
from support.ssh import ssh

SCALE = 0.02
"""Clients pause for this share of what they do in earnest: 5 s are 0.1 s. Their time limits are in earnest."""

PATIENCE_SECONDS = 60.0
FLAGS = ("--max-vm-count=4", "--heartbeat=2", "--lease-duration=8")


@dataclass
class Stage:
    """The configuration of a client, and the way into its VM."""

    cloud: LocalCloud
    template: str
    broken: str
    """A template whose image the registry has lost: instances of it end in Error."""
    group: str
    key: Path

    @property
    def url(self) -> str:
        """With the root token in it where the REST API asks for credentials."""
        url, token = self.cloud.urls[0], self.cloud.root_token
        return url.replace("://", f"://root:{token}@") if token else url

    @property
    def root_token(self) -> str:
        """Where the REST API is open, any: clients that have one send it."""
        return self.cloud.root_token or "0123456789"

    @property
    def fixed_header(self) -> str:
        """Authorization, as a client sends it that has one for ever."""
        token = self.cloud.root_token
        return f"Basic {b64encode(f'root:{token}'.encode()).decode()}" if token else "Bearer administrators-own"

    @property
    def pace(self) -> Pace:
        return Pace(SCALE)

    def enter(self, host: str, port: int, command: str = "true") -> str:
        """The output of a command in the VM, over a new connection."""
        said = self.said(host, port, f'test ! -e ~/mine && touch ~/mine && {command} && echo "$USER:$((6*7))"')
        assert said.endswith("anka:42\n"), said
        return said.removesuffix("anka:42\n")

    def said(self, host: str, port: int, command: str) -> str:
        done = ssh(self.key, host, port, command)
        assert done.returncode == 0, done
        return done.stdout

    def until(self, true: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (found := true()):
            assert time.monotonic() < deadline, (self.rows(), self.cloud.vm_names())
            time.sleep(0.05)
        return found

    def rows(self) -> list[dict[str, Any]]:
        rows = self.cloud.rest("GET", "/api/v1/vm")["body"]
        assert isinstance(rows, list)
        return rows

    def cleared(self) -> bool:
        """Nothing is left, neither listed as alive nor on a Mac."""
        return all(row["vm"]["instance_state"] == "Terminated" for row in self.rows()) and not self.cloud.vm_names()

    def vm_of(self, id_: str) -> str:
        return str(self.cloud.rest("GET", f"/api/v1/vm?id={id_}")["body"]["vminfo"]["name"])

    def mac(self, name: str) -> None:
        """One more Mac that joins draining, as those of a cloud provider do until they have their templates."""
        self.cloud.add_mac(name, "--drain-mode", f"--name={name}.example", *FLAGS, **FAST_MAC)


@pytest.fixture(scope="module")
def stage(make_cloud: Callable[[], LocalCloud], ssh_key: Path) -> Stage:
    cloud = make_cloud()
    registry = cloud.registry
    assert registry is not None
    broken = registry.add_template("broken", [TAG], size=1_000_000)
    for image in (registry.directory / broken).rglob("*.ank"):
        image.unlink()
    cloud.start_operator("--registry-seconds=1")
    cloud.start_shim("--terminated-seconds=3", "--allowed-hosts=controller.example")
    for name in ("mac-01", "mac-02"):
        cloud.add_mac(name, *FLAGS, **FAST_MAC)
    cloud.wait_ready()
    group = cloud.rest("POST", "/api/v1/group", {"name": "ci"})["body"]["id"]
    answer = cloud.rest("POST", "/api/v1/node/group", {"group_ids": [group], "node_ids": ["mac-01", "mac-02"]})
    assert answer["status"] == "OK"
    return Stage(cloud, registry.templates[0], broken, group, ssh_key)


@pytest.fixture
def clear(stage: Stage) -> Iterator[Stage]:
    """The stage, of which each test must leave nothing behind."""
    yield stage
    stage.until(stage.cleared)
