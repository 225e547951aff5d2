"""The Prometheus exporter 4.1 (Go): everything is read each interval; one wrong number costs a whole list.

It counts by architecture in a map that has two keys: any third is a write to a nil map, and the process is gone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from urllib.parse import quote

from clients import golang
from clients.credential import NOTHING, Credential, basic
from clients.failing import Reported
from clients.go_session import REQUIRED, GoSession
from clients.golang import ZERO_TIME, Base, Panic, Uint, deref
from clients.pace import Pace
from clients.wire import Wire

INTERVAL_SECONDS = 15.0
ARCHITECTURES = ("amd64", "arm64")
STATES = (
    "Scheduling", "Pulling", "Started", "Stopping", "Stopped", "Terminating", "Terminated", "Error", "Pushing"
)  # fmt: skip
NODE_STATES = ("Offline", "Inactive (Invalid License)", "Active", "Updating", "Drain Mode")


@dataclass
class Group:
    id: str = ""
    name: str = ""
    description: str = ""
    fallback_group_id: str = ""


@dataclass
class Node:
    node_id: str = ""
    node_name: str = ""
    state: str = ""
    host_arch: str = ""
    cpu_count: Uint = 0
    ram: Uint = 0
    vm_count: Uint = 0
    vcpu_count: Uint = 0
    vram: Uint = 0
    capacity: Uint = 0
    free_disk_space: Uint = 0
    anka_disk_usage: Uint = 0
    disk_size: Uint = 0
    cpu_util: float = 0.0
    ram_util: float = 0.0
    groups: list[Group] = field(default_factory=list)


@dataclass
class VmInfo:
    ip: str = ""


@dataclass
class Instance:
    instance_state: str = ""
    vmid: str = ""
    group_id: str = ""
    node_id: str = ""
    arch: str = ""
    cr_time: datetime = ZERO_TIME
    ts: datetime = ZERO_TIME
    vminfo: VmInfo | None = None


@dataclass
class Wrapper:
    instance_id: str = ""
    external_id: str = ""
    vm: Instance | None = None


@dataclass
class Template:
    id: str = ""
    name: str = ""
    size: Uint = 0


@dataclass
class Version:
    tag: str = ""
    size: Uint = 0


@dataclass
class Detailed(Template):
    versions: list[Version] = field(default_factory=list)


@dataclass
class Disk:
    total: Uint = 0
    free: Uint = 0


@dataclass
class Status:
    status: str = ""
    version: str = ""
    registry_address: str = ""
    registry_status: str = ""
    license: str = ""


@dataclass
class StatusAnswer(Base):
    body: Status = field(default_factory=Status)


@dataclass
class Nodes(Base):
    body: list[Node] = field(default_factory=list)


@dataclass
class Instances(Base):
    body: list[Wrapper] = field(default_factory=list)


@dataclass
class Templates(Base):
    body: list[Template] = field(default_factory=list)


@dataclass
class OneTemplate(Base):
    body: Detailed = field(default_factory=Detailed)


@dataclass
class DiskAnswer(Base):
    body: Disk = field(default_factory=Disk)


R = TypeVar("R", bound=Base)


@dataclass
class Metrics:
    """What Prometheus scrapes: a part of the exporter's gauges."""

    controller_running: bool = False
    registry_running: bool = False
    nodes: list[Node] = field(default_factory=list)
    nodes_by_state: Counter[str] = field(default_factory=Counter)
    nodes_by_arch: Counter[str] = field(default_factory=Counter)
    instances: list[Wrapper] = field(default_factory=list)
    instances_by_state: Counter[str] = field(default_factory=Counter)
    instances_by_arch: Counter[str] = field(default_factory=Counter)
    disk: Disk = field(default_factory=Disk)
    templates: dict[str, int] = field(default_factory=dict)
    tags: dict[str, dict[str, int]] = field(default_factory=dict)


class Exporter:
    """`user` and `password` for Basic: only with both."""

    def __init__(
        self, url: str, pace: Pace, user: str = "", password: str = "", credential: Credential = NOTHING
    ) -> None:
        self.pace = pace
        self.wire = Wire(url, timeout=None, tls=credential.tls)
        self.headers = {"Content-Type": "application/json"}
        if user and password:
            self.headers["Authorization"] = basic(user, password)
        self.session = None if credential.key is None else GoSession(self.wire, credential.key)
        self._tags: dict[str, dict[str, int]] = {}
        self._sizes: dict[str, int] = {}

    def collect(self) -> Metrics:
        """One interval. Raises Reported, DecodeError, Panic."""
        seen = Metrics()
        status = self._call(StatusAnswer, "/api/v1/status").body
        seen.controller_running = status.status == "Running"
        seen.registry_running = status.registry_status == "Running"
        self._nodes(seen)
        self._instances(seen)
        seen.disk = self._call(DiskAnswer, "/api/v1/registry/disk").body
        self._templates(seen)
        return seen

    def watch(self, intervals: int) -> list[Metrics]:
        found = [self.collect()]
        for _ in range(intervals - 1):
            self.pace.pause(INTERVAL_SECONDS)
            found.append(self.collect())
        return found

    def _nodes(self, seen: Metrics) -> None:
        seen.nodes = self._call(Nodes, "/api/v1/node").body
        for node in seen.nodes:
            if node.state in NODE_STATES:
                seen.nodes_by_state[node.state] += 1
            if node.host_arch not in ARCHITECTURES:
                raise Panic(f"assignment to entry in nil map: host_arch {node.host_arch!r}")
            seen.nodes_by_arch[node.host_arch] += 1

    def _instances(self, seen: Metrics) -> None:
        seen.instances = self._call(Instances, "/api/v1/vm").body
        for item in seen.instances:
            vm = deref(item.vm, "vm of a list element")
            if vm.instance_state in STATES:
                seen.instances_by_state[vm.instance_state] += 1
            if vm.arch == "":
                continue
            if vm.arch not in ARCHITECTURES:
                raise Panic(f"assignment to entry in nil map: arch {vm.arch!r}")
            seen.instances_by_arch[vm.arch] += 1

    def _templates(self, seen: Metrics) -> None:
        """The versions of a template only when its size has changed."""
        for template in self._call(Templates, "/api/v1/registry/vm").body:
            if self._sizes.get(template.id) != template.size:
                shown = self._call(OneTemplate, f"/api/v1/registry/vm?id={quote(template.id)}").body
                self._tags[template.id] = {version.tag: version.size for version in shown.versions}
                self._sizes[template.id] = template.size
            seen.templates[template.id] = template.size
            seen.tags[template.id] = self._tags[template.id]

    def _call(self, kind: type[R], target: str) -> R:
        """The HTTP code does not matter."""
        answer = self._get(kind, target)
        if self.session is not None and answer.message == REQUIRED:
            self.session.renew()
            answer = self._get(kind, target)
        if answer.status != "OK":
            raise Reported(answer.message)
        return answer

    def _get(self, kind: type[R], target: str) -> R:
        login = {} if self.session is None else {"Authorization": self.session.header}
        headers = golang.headers(self.wire.host, None, {**self.headers, **login})
        return golang.unmarshal(self.wire.send("GET", target, headers).raw, kind)
