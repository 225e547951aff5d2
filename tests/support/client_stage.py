"""A cloud for the old controller's clients: what their administrators set up, and the way into their VMs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from anka_dev.cloud import LocalCloud
from clients.credential import NOTHING, Credential
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
    url: str
    credential: Credential = NOTHING
    """What the client logs in with."""
    root: str = ""
    """The Authorization header of the test itself."""

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
        rows = self.rest("GET", "/api/v1/vm")
        assert isinstance(rows, list)
        return rows

    def cleared(self) -> bool:
        """Nothing is left, neither listed as alive nor on a Mac."""
        return all(row["vm"]["instance_state"] == "Terminated" for row in self.rows()) and not self.cloud.vm_names()

    def vm_of(self, id_: str) -> str:
        return str(self.rest("GET", f"/api/v1/vm?id={id_}")["vminfo"]["name"])

    def rest(self, method: str, path: str, body: Any = None) -> Any:
        """The body of an answer that is OK."""
        answer = httpx.request(
            method,
            self.url + path,
            json=body,
            headers={"Authorization": self.root} if self.root else None,
            verify=self.credential.tls or True,
            timeout=PATIENCE_SECONDS,
        )
        envelope = answer.json()
        assert (answer.status_code, envelope["status"]) == (200, "OK"), answer.text
        return envelope.get("body")

    def mac(self, name: str) -> None:
        """One more Mac that joins draining, as those of a cloud provider do until they have their templates."""
        self.cloud.add_mac(name, "--drain-mode", f"--name={name}.example", *FLAGS, **FAST_MAC)


@pytest.fixture(scope="module")
def stage(make_cloud: Callable[[], LocalCloud], ssh_key: Path) -> Stage:
    cloud, broken = make_stage_cloud(make_cloud)
    cloud.start_shim("--terminated-seconds=3", "--allowed-hosts=controller.example")
    start_macs(cloud)
    made = Stage(cloud, cloud.registry.templates[0], broken, "", ssh_key, cloud.url)  # type: ignore[union-attr]
    return with_group(made)


def make_stage_cloud(make_cloud: Callable[[], LocalCloud]) -> tuple[LocalCloud, str]:
    """With an operator, and a template that the registry has lost; its shims and Macs come later."""
    cloud = make_cloud()
    registry = cloud.registry
    assert registry is not None
    broken = registry.add_template("broken", [TAG], size=1_000_000)
    for image in (registry.directory / broken).rglob("*.ank"):
        image.unlink()
    cloud.start_operator("--registry-seconds=1")
    return cloud, broken


def start_macs(cloud: LocalCloud) -> None:
    for name in ("mac-01", "mac-02"):
        cloud.add_mac(name, *FLAGS, **FAST_MAC)
    cloud.wait_ready()


def with_group(stage: Stage) -> Stage:
    """Both Macs in the group `ci`."""
    group = stage.rest("POST", "/api/v1/group", {"name": "ci"})["id"]
    stage.rest("POST", "/api/v1/node/group", {"group_ids": [group], "node_ids": ["mac-01", "mac-02"]})
    return replace(stage, group=group)


@pytest.fixture
def clear(stage: Stage) -> Iterator[Stage]:
    """The stage, of which each test must leave nothing behind."""
    yield stage
    stage.until(stage.cleared)
