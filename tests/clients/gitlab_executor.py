"""The GitLab custom executor 1.5 (Go): a POST without Content-Type, strict states, lookups by the job's URL."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote

from clients import golang
from clients.credential import NOTHING, Credential
from clients.failing import Reported
from clients.golang import Base, Int, deref, first
from clients.pace import Pace
from clients.wire import Wire

POLL_SECONDS = 10.0
TIMEOUT_SECONDS = 10.0
TRIES, FIRST_RETRY_SECONDS, MAX_RETRY_SECONDS = 3, 5.0, 30.0
TOLERATED = ("Scheduling", "Pulling")


@dataclass
class PortForward:
    guest_port: Int = 0
    host_port: Int = 0
    protocol: str = ""


@dataclass
class VmInfo:
    name: str = ""
    port_forwarding: list[PortForward] = field(default_factory=list)


@dataclass
class Instance:
    instance_id: str = ""
    external_id: str = ""
    instance_state: str = ""
    node_id: str = ""
    progress: float = 0.0
    vminfo: VmInfo | None = None


@dataclass
class Wrapper:
    vm: Instance | None = None


@dataclass
class Node:
    node_id: str = ""
    node_name: str = ""
    ip_address: str = ""


@dataclass
class Template:
    id: str = ""
    name: str = ""
    size: Int = 0
    arch: str = ""


@dataclass
class Started(Base):
    body: list[str] = field(default_factory=list)


@dataclass
class OneInstance(Base):
    body: Instance = field(default_factory=Instance)


@dataclass
class Instances(Base):
    body: list[Wrapper] = field(default_factory=list)


@dataclass
class Nodes(Base):
    body: list[Node] = field(default_factory=list)


@dataclass
class Templates(Base):
    body: list[Template] = field(default_factory=list)


R = TypeVar("R", bound=Base)


class GitlabExecutor:
    """One CI job. Its stages are processes of their own: each finds the VM again by the job's URL."""

    def __init__(
        self,
        url: str,
        pace: Pace,
        job_url: str,
        headers: Mapping[str, str] | None = None,
        credential: Credential = NOTHING,
    ) -> None:
        """`headers`: the administrator's, such as Authorization."""
        self.pace = pace
        self.job_url = job_url
        self.headers = dict(headers or {})
        self.wire = Wire(url, timeout=TIMEOUT_SECONDS, tls=credential.tls)

    # Stages

    def prepare(self, template: str, **options: Any) -> tuple[str, str, int]:
        """Id, SSH host and port. `template` may be a name if it is no UUID. Raises Reported, DecodeError, Panic."""
        id_ = self.start(template, **options)
        while True:
            self.pace.pause(POLL_SECONDS)
            found = self.show(id_)
            if found.instance_state == "Started":
                return id_, *self.address(found)
            if found.instance_state not in TOLERATED:
                raise Reported(f"instance {id_} is in an unexpected state: {found.instance_state}")

    def run(self) -> tuple[str, int]:
        """SSH host and port of this job's VM."""
        return self.address(self._mine(self.instances()))

    def cleanup(self) -> str:
        """End this job's VM; its id."""
        alive = [found for found in self.instances() if found.instance_state in ("Started", *TOLERATED)]
        id_ = self._mine(alive).instance_id
        self.terminate(id_)
        return id_

    def _mine(self, instances: list[Instance]) -> Instance:
        for found in instances:
            if found.external_id == self.job_url:
                return found
        raise Reported(f"instance with external id {self.job_url} not found")

    # Calls

    def template_called(self, name: str) -> str:
        for template in self._call(Templates, "GET", "/api/v1/registry/vm?apiVer=v1").body:
            if template.name == name:
                return template.id
        raise Reported(f"template {name} not found")

    def start(self, template: str, **options: Any) -> str:
        """Never repeated."""
        body = {
            "vmid": template,
            "external_id": self.job_url,
            **{name: value for name, value in options.items() if value},
            "startup_script": base64.b64encode(b"sleep 5").decode(),
            "startup_script_condition": 0,
            "script_monitoring": True,
            "script_timeout": 300,
        }
        return first(self._call(Started, "POST", "/api/v1/vm", body).body, "ids of instances")

    def show(self, id_: str) -> Instance:
        return self._call(OneInstance, "GET", f"/api/v1/vm?id={quote(id_)}").body

    def instances(self) -> list[Instance]:
        listed = self._retrying(Instances, "GET", "/api/v1/vm").body
        return [deref(item.vm, "vm of a list element") for item in listed]

    def node(self, id_: str) -> Node:
        nodes = self._call(Nodes, "GET", f"/api/v1/node?id={quote(id_)}").body
        if not nodes:
            raise Reported(f"node {id_} not found")
        return nodes[0]

    def terminate(self, id_: str) -> None:
        self._retrying(Base, "DELETE", "/api/v1/vm", {"id": id_}, {"Content-Type": "application/json"})

    def address(self, found: Instance) -> tuple[str, int]:
        node = self.node(found.node_id)
        for rule in found.vminfo.port_forwarding if found.vminfo else ():
            if rule.guest_port == 22 and rule.protocol == "tcp":
                return node.ip_address, rule.host_port
        raise Reported(f"instance {found.instance_id} has no port forwarding for SSH")

    # Transport

    def _retrying(self, kind: type[R], *request: Any) -> R:
        """Three times, after a timeout only."""
        delay = FIRST_RETRY_SECONDS
        for _ in range(TRIES - 1):
            try:
                return self._call(kind, *request)
            except TimeoutError:
                self.pace.pause(delay)
                delay = min(2 * delay, MAX_RETRY_SECONDS)
        return self._call(kind, *request)

    def _call(
        self,
        kind: type[R],
        method: str,
        target: str,
        body: dict[str, Any] | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> R:
        """The JSON status comes before the HTTP code."""
        raw = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        headers = golang.headers(self.wire.host, raw, {**(extra or {}), **self.headers})
        reply = self.wire.send(method, target, headers, raw)
        answer = golang.unmarshal(reply.raw, kind)
        if answer.status != "OK":
            raise Reported(f"status code: {reply.code}, error: {answer.message}")
        if reply.code != 200:
            raise Reported(f"unexpected status code: {reply.code}")
        return answer
