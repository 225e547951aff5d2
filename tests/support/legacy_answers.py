"""Good answers, as the shim gives them, for tests to spoil."""

from __future__ import annotations

import copy
from typing import Any

ID = "e51259fe-6277-4776-4de0-016ea5971c7e"
TEMPLATE = "d792c6f6-198c-470f-9526-9c998efe7ab4"
GROUP = {"id": "g-1", "name": "ci", "description": "", "fallback_group_id": None}
STATUS = {
    "status": "Running",
    "version": "1.50.1-24e848a5",
    "registry_address": "http://anka.registry:8089",
    "registry_status": "Running",
    "license": "enterprise plus",
}
RULE = {"guest_port": 22, "host_port": 10001, "protocol": "tcp", "name": "ssh"}
VMINFO = {
    "uuid": "27f9cae9-08c4-48ad-8a06-0c10d66a45aa",
    "name": "mgmtManaged-14.2-arm64-1706114704759425000",
    "status": "running",
    "cpu_cores": 4,
    "ram": "4G",
    "node_id": "mac-1",
    "host_ip": "192.168.0.200",
    "ip": "192.168.69.15",
    "vnc_port": 5900,
    "vnc_connection_string": "vnc://:admin@192.168.0.200:5900",
    "port_forwarding": [RULE],
}
VM = {
    "instance_id": ID,
    "instance_state": "Started",
    "vmid": TEMPLATE,
    "tag": "vanilla",
    "version": 1,
    "vminfo": VMINFO,
    "node_id": "mac-1",
    "group_id": "",
    "external_id": "job-1",
    "arch": "arm64",
    "ts": "2026-01-24T11:51:56Z",
    "cr_time": "2026-01-24T11:44:59Z",
    "progress": 0.0,
}
ELEMENT = {"instance_id": ID, "external_id": "job-1", "name": None, "vm": VM}
NODE = {
    "node_id": "mac-1",
    "node_name": "mac-1",
    "ip_address": "192.168.0.200",
    "state": "Active",
    "host_arch": "arm64",
    "capacity": 2,
    "capacity_mode": "number",
    "cpu_count": 8,
    "ram": 16,
    "vm_count": 1,
    "vcpu_count": 4,
    "vram": 4096,
    "cpu_util": 0.1,
    "ram_util": 0.2,
    "free_disk_space": 100,
    "anka_disk_usage": 10,
    "disk_size": 500,
    "groups": [GROUP],
}
ROW = {"id": TEMPLATE, "name": "macos", "size": 100, "arch": "arm64"}
SHOWN = {**ROW, "versions": [{"number": 0, "tag": "v1", "size": 50}, {"number": 1, "tag": "v2", "size": 100}]}

MISSING = object()


def but(answer: Any, path: str, value: Any) -> Any:
    """A copy with another value at a path such as `vm.vminfo.port_forwarding.0.host_port`; MISSING takes it away."""
    changed = copy.deepcopy(answer)
    *way, last = [int(part) if part.isdecimal() else part for part in path.split(".")]
    place = changed
    for part in way:
        place = place[part]
    if value is MISSING:
        del place[last]
    else:
        place[last] = value
    return changed


def vm(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(VM), **changes}


def element(**changes: Any) -> dict[str, Any]:
    """`changes` are of the `vm` in it."""
    return {**copy.deepcopy(ELEMENT), "vm": vm(**changes)}


def early(state: str = "Scheduling") -> dict[str, Any]:
    """A `vm` whose VM is not there yet."""
    return {name: value for name, value in vm(instance_state=state).items() if name not in ("vminfo", "node_id")}
