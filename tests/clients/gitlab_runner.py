"""The old gitlab-runner fork with its executor "anka" (Go, 2023): typed to the last field, impatient."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote

from clients import golang
from clients.failing import Reported
from clients.golang import ZERO_TIME, Base, Int, Uint, deref
from clients.pace import Pace
from clients.wire import NETWORK_ERRORS, Reply, Wire

POLL_SECONDS = 2.0
TIMEOUT_SECONDS = 5.0
TRIES, RETRY_SECONDS = 7, 10.0
START_SECONDS = 90 * 60.0
NETWORK_SECONDS = 5 * 60.0
FAILED = ("Stopped", "Stopping", "Terminating", "Terminated", "Error")
WAITING = ("Scheduling", "Pulling")


@dataclass
class PortForward:
    guest_port: Int = 0
    host_port: Int = 0
    protocol: str = ""
    name: str = ""


@dataclass
class VmInfo:
    uuid: str = ""
    name: str = ""
    status: str = ""
    cpu_cores: Int = 0
    ram: str = ""
    node_id: str = ""
    host_ip: str = ""
    ip: str = ""
    vnc_port: Int = 0
    port_forwarding: list[PortForward] = field(default_factory=list)


@dataclass
class Instance:
    instance_id: str = ""
    instance_state: str = ""
    message: str = ""
    vmid: str = ""
    tag: str = ""
    version: Uint = 0
    node_id: str = ""
    group_id: str = ""
    external_id: str = ""
    ts: datetime = ZERO_TIME
    cr_time: datetime = ZERO_TIME
    progress: float = 0.0
    vminfo: VmInfo | None = None


@dataclass
class Node:
    node_id: str = ""
    node_name: str = ""
    ip_address: str = ""
    state: str = ""
    cpu_count: Uint = 0
    ram: Uint = 0
    vm_count: Uint = 0
    vcpu_count: Uint = 0
    vram: Uint = 0
    capacity: Uint = 0
    cpu_util: float = 0.0
    ram_util: float = 0.0


@dataclass
class Group:
    id: str = ""
    name: str = ""
    description: str = ""
    fallback_group_id: str = ""


@dataclass
class Started(Base):
    body: list[str] = field(default_factory=list)


@dataclass
class OneInstance(Base):
    body: Instance = field(default_factory=Instance)


@dataclass
class Nodes(Base):
    body: list[Node] = field(default_factory=list)


@dataclass
class Groups(Base):
    body: list[Group] = field(default_factory=list)


R = TypeVar("R", bound=Base)


class GitlabRunner:
    def __init__(self, url: str, pace: Pace, headers: Mapping[str, str] | None = None) -> None:
        """`headers`: the administrator's; Host among them replaces the host."""
        self.pace = pace
        self.headers = dict(headers or {})
        self.wire = Wire(url, timeout=TIMEOUT_SECONDS)

    def provision(self, template: str, job: str, *, group: str | None = None, **options: Any) -> tuple[str, str, int]:
        """Id, SSH host and port; `group` is a name or an id. Raises Reported after having ended what it started."""
        body = {"vmid": template, "name": job, "external_id": job, **options}
        if group:
            body["group_id"] = self.group_id(group)
        id_ = self.start(body)
        try:
            self._await_started(id_)
            info = self._await_network(id_)
        except Reported:
            self.terminate(id_)
            raise
        node = self.node(info.node_id)
        for rule in info.port_forwarding:
            if rule.guest_port == 22:
                return id_, node.ip_address, rule.host_port
        raise Reported(f"instance {id_} has no port forwarding for SSH")

    def _await_started(self, id_: str) -> None:
        deadline = self.pace.now() + START_SECONDS
        while self.pace.now() < deadline:
            found = self.show(id_)
            if found.instance_state == "Started":
                return
            if found.instance_state in FAILED:
                raise Reported(f"instance {id_} is {found.instance_state}: {found.message}")
            # For any other word the real one does not even sleep.
            if found.instance_state not in WAITING:
                raise golang.Panic(f"busy loop at state {found.instance_state!r}")
            self.pace.pause(POLL_SECONDS)
        raise Reported(f"instance {id_} did not start in time")

    def _await_network(self, id_: str) -> VmInfo:
        deadline = self.pace.now() + NETWORK_SECONDS
        while self.pace.now() < deadline:
            info = deref(self.show(id_).vminfo, "vminfo of a started instance")
            if info.ip:
                return info
            self.pace.pause(POLL_SECONDS)
        raise Reported(f"instance {id_} has no network")

    # Calls

    def group_id(self, name: str) -> str:
        for group in self._call(Groups, "GET", "/api/v1/group").body:
            if name in (group.id, group.name):
                return group.id
        raise Reported(f"no such group: {name}")

    def start(self, body: dict[str, Any]) -> str:
        ids = self._call(Started, "POST", "/api/v1/vm", body).body
        if len(ids) != 1:
            raise Reported(f"unexpected number of instances: {len(ids)}")
        return ids[0]

    def show(self, id_: str) -> Instance:
        return self._call(OneInstance, "GET", f"/api/v1/vm?id={quote(id_)}").body

    def node(self, id_: str) -> Node:
        nodes = self._call(Nodes, "GET", f"/api/v1/node?id={quote(id_)}").body
        if not nodes:
            raise Reported(f"node {id_} not found")
        return nodes[0]

    def terminate(self, id_: str) -> None:
        self._call(Base, "DELETE", "/api/v1/vm", {"id": id_})

    def _call(self, kind: type[R], method: str, target: str, body: dict[str, Any] | None = None) -> R:
        """The HTTP code does not matter."""
        answer = golang.unmarshal(self._send(method, target, body).raw, kind)
        if answer.status != "OK":
            raise Reported(answer.message)
        return answer

    def _send(self, method: str, target: str, body: dict[str, Any] | None) -> Reply:
        """What got no answer is repeated, POST included."""
        raw = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        extra = {**({"Content-Type": "application/json"} if raw else {}), **self.headers}
        attempt = 1
        while True:
            try:
                return self.wire.send(method, target, golang.headers(self.wire.host, raw, extra), raw)
            except NETWORK_ERRORS as error:
                if attempt == TRIES:
                    raise Reported(f"{method} {target}: {error}") from None
                self.pace.pause(RETRY_SECONDS * attempt)
                attempt += 1
