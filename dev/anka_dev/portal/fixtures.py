"""An invented cloud, in rows as the stream has them: Macs, instances, and whatever goes wrong. Deterministic."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

Row = dict[str, Any]

MARKUP = "<img src=x onerror=alert(1)>"
"""In every text that a person, a VM, a Mac or the registry can set: it must be shown as it is."""
LONG = "a-name-that-somebody-made-by-a-script-and-that-nobody-will-ever-read-to-its-end-0123456789"
GROUPS = ("ios", "release", "nightly", "intel", "spare")
TEMPLATES = (
    "macos-26",
    "macos-15-xcode-17",
    "macos-15-xcode-16.4",
    "macos-14",
    "macos-13-intel",
    "visionos",
    LONG,
    MARKUP,
)
PEOPLE = ("system:serviceaccount:ci:jenkins", "ada@example.com", "gitlab-runner", "buildkite", MARKUP)
WAITING = (
    (
        "Unschedulable",
        "0/200 nodes fit: 194 full, 6 offline; mac-000, mac-010 are kept free for it",
        False,
    ),
    ("Unschedulable", "0/40 nodes of group release fit: 40 full", False),
    ("NotFound", f"template {MARKUP} is not in the registry", True),
    ("Unschedulable", "no node could ever take it: 200 have less than 64 vCPUs", True),
)


@dataclass
class Cloud:
    """Rows by kind and id."""

    now: datetime
    random: random.Random
    rows: dict[str, dict[str, Row]] = field(default_factory=dict)

    def put(self, kind: str, row: Mapping[str, Any]) -> Row:
        known = {key: value for key, value in row.items() if value is not None}
        self.rows.setdefault(kind, {})[known["id"]] = known
        return known

    def ago(self, seconds: float) -> str:
        return stamp(self.now - timedelta(seconds=seconds))


def stamp(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def identifier(n: int) -> str:
    return f"{n:08x}-0000-4000-8000-{n:012x}"


def make_cloud(now: datetime, *, macs: int = 200, instances: int = 1000, seed: int = 1) -> Cloud:
    cloud = Cloud(now, random.Random(seed))
    _put_cloud(cloud)
    _put_groups(cloud, macs)
    _put_templates(cloud, macs)
    for n in range(macs):
        _put_node(cloud, n, macs)
    for n in range(instances):
        _put_instance(cloud, n, macs)
    _count_usage(cloud)
    _put_distributions(cloud, macs)
    _put_saves(cloud)
    _put_access(cloud)
    return cloud


def _put_cloud(cloud: Cloud) -> None:
    cloud.put(
        "cloud",
        {
            "id": "cloud",
            "version": "0.1.0",
            "namespace": "anka-ci",
            "nodeNamespace": "anka-nodes",
            "registry": {
                "url": "http://registry.example.com:8089",
                "status": "Running",
                "totalBytes": 8_000_000_000_000,
                "freeBytes": 2_340_000_000_000,
            },
            "licenses": ["Enterprise Plus"],
            "averageQueueSeconds": 12.4,
            "replicas": {"total": 2, "reached": 2},
            "grafanaUrl": "https://grafana.example.com/d/anka",
        },
    )


def _put_groups(cloud: Cloud, macs: int) -> None:
    for n, name in enumerate(GROUPS):
        cloud.put(
            "groups",
            {
                "id": identifier(100 + n),
                "name": name,
                "description": f"Macs for {name} {MARKUP}" if n == 1 else f"Macs for {name}",
                "fallback": identifier(104) if n < 3 else None,
                "nodes": macs // 5,
                "activeNodes": macs // 5 - 2,
            },
        )


def _put_templates(cloud: Cloud, macs: int) -> None:
    for n, name in enumerate(TEMPLATES):
        size = (20 + 7 * n) * 1_000_000_000
        cloud.put(
            "templates",
            {
                "id": identifier(200 + n),
                "name": name,
                "displayName": f"{name} for everybody" if n % 3 == 0 else None,
                "arch": "amd64" if n == 4 else "arm64",
                "sizeBytes": size,
                "lastPull": cloud.ago(3600 * (n + 1)),
                "lastPush": cloud.ago(86400 * (n + 1)),
                "latestTag": f"v{n + 3}",
                "versions": [
                    {
                        "number": v,
                        "tag": f"v{v}",
                        "description": f"build {v} {MARKUP}" if v == 1 else f"build {v}",
                        "sizeBytes": size - (n + 3 - v) * 400_000_000,
                        "created": cloud.ago(86400 * 3 * (n + 4 - v)),
                    }
                    for v in range(n + 4)
                ],
                "nodes": [{"node": f"mac-{m:03d}", "tag": f"v{n + 3}"} for m in range(n, macs, n + 2)],
                "rules": [{"tag": f"v{n + 3}", "groups": [identifier(100)]}] if n < 2 else [],
                "reason": "NotFound" if n == 7 else None,
                "message": "the registry lost it" if n == 7 else None,
            },
        )


def _put_node(cloud: Cloud, n: int, macs: int) -> None:
    chance = cloud.random
    state: str | None = "Active"
    if n % 33 == 7:
        state = "Offline"
    elif n % 29 == 5:
        state = "Drain Mode"
    elif n % 50 == 9:
        state = "Updating"
    elif n % 61 == 11:
        state = "Unhealthy"
    elif n % 71 == 13:
        state = "Inactive (Invalid License)"
    elif n == macs - 1:
        state = None
    templates = [
        {
            "id": identifier(200 + t),
            "name": TEMPLATES[t],
            "tag": f"v{t + 3}",
            "sizeBytes": (20 + 7 * t) * 1_000_000_000,
            "lastUsed": cloud.ago(chance.randrange(9, 90000)),
        }
        for t in range(n % 5 + 1)
    ]
    failures = 0 if n % 11 else chance.randrange(1, 9)
    cloud.put(
        "nodes",
        {
            "id": f"mac-{n:03d}",
            "name": MARKUP if n == 3 else LONG if n == 4 else f"mac-{n:03d}.rack-{n // 20 + 1}",
            "uid": identifier(1000 + n),
            "created": cloud.ago(86400 * 30),
            "state": state,
            "draining": state == "Drain Mode",
            "leaving": False,
            "updating": n % 50 == 9,
            "problem": "the agent has not reported for 5 min" if state == "Offline" else None,
            "host": f"mac-{n:03d}.example.com",
            "ip": f"10.0.{n // 250}.{n % 250 + 1}",
            "arch": "amd64" if n % 5 == 3 else "arm64",
            "groups": [identifier(100 + n % 5)],
            "capacityMode": "resource" if n % 17 == 2 else "number",
            "maxVms": 2 if n % 10 else 6,
            "reservePercent": 0,
            "vcpus": 12,
            "ramGib": 32,
            "usage": {"vms": 0, "vcpus": 0, "ramMib": 0, "cpuPercent": chance.randrange(2, 99), "ramPercent": 61},
            "disk": {
                "sizeBytes": 1_000_000_000_000,
                "freeBytes": chance.randrange(20, 700) * 1_000_000_000,
                "ankaBytes": 240_000_000_000,
            },
            "anka": {
                "version": "3.8.1",
                "build": "204",
                "license": "Enterprise Plus",
                "licenseStatus": "expired" if n % 71 == 9 else "valid",
                "expires": "2027-06-01T00:00:00Z",
            },
            "agentVersion": "0.0.9" if n % 50 == 9 else "0.1.0",
            "wantedAgentVersion": "0.1.0",
            "update": {"version": "0.1.0", "failed": False, "message": "downloading"} if n % 50 == 9 else None,
            "centralLogging": True,
            "heartbeatAt": cloud.ago(300 if state == "Offline" else chance.randrange(0, 10)),
            "clockAheadSeconds": 42.0 if n == 12 else None,
            "conditions": [
                {
                    "type": "Ready",
                    "status": "False" if state == "Offline" else "True",
                    "reason": "NoHeartbeat" if state == "Offline" else "Reporting",
                    "message": f"last heard 5 min ago {MARKUP}" if state == "Offline" else "the agent reports",
                    "since": cloud.ago(4000),
                }
            ],
            "templates": templates,
            "tasks": [
                {
                    "name": "dist-1" if n % 2 else f"keep:{identifier(201)}:v4",
                    "percent": chance.randrange(1, 99),
                    "done": False,
                    "message": "3.1 GB",
                }
            ]
            if n % 13 == 1
            else [],
            "kept": [{"template": identifier(200), "tag": "v3"}] if n % 5 == 0 else [],
            "usb": [{"location": "0x14100000", "name": "iPhone 17", "group": "iphone", "available": n % 2 == 0}]
            if n % 20 == 3
            else [],
            "vlans": ["120", "130"] if n % 10 == 0 else [],
            "failures": {
                "count": failures,
                "last": {
                    "at": cloud.ago(1200),
                    "reason": "CloneFailed",
                    "message": f"anka clone: no space left on device {MARKUP}",
                    "instance": identifier(5000),
                }
                if failures
                else None,
            },
        },
    )


def _put_instance(cloud: Cloud, n: int, macs: int) -> None:
    chance = cloud.random
    share = n % 20
    phase = "Started"
    if share in (3, 4, 5, 6):
        phase = "Scheduling"
    elif share == 7:
        phase = "Pulling"
    elif share == 8:
        phase = "Error"
    elif share == 9:
        phase = ("Terminating", "Terminated", "Pushing", "Stopped")[n // 20 % 4]
    age = chance.randrange(5, 40000)
    reason, message, never = WAITING[n // 20 % len(WAITING)] if phase == "Scheduling" else (phase, "", False)
    is_placed = phase != "Scheduling"
    template = n % len(TEMPLATES)
    node = f"mac-{n * 7 % macs:03d}"
    if phase == "Error":
        reason, message = "CloneFailed", f"anka clone: no space left on device {MARKUP}"
    cloud.put(
        "instances",
        {
            "id": identifier(4000 + n),
            "name": identifier(4000 + n),
            "namespace": "anka-ci",
            "uid": identifier(40000 + n),
            "displayName": MARKUP if n == 3 else LONG if n == 4 else f"build-{n}" if n % 3 else None,
            "created": cloud.ago(age),
            "phase": phase,
            "legacyState": phase,
            "reason": reason,
            "message": message,
            "ready": phase == "Started",
            "node": node if is_placed else None,
            "group": identifier(100 + n % 5) if n % 2 else None,
            "template": {"id": identifier(200 + template), "name": TEMPLATES[template], "tag": f"v{template + 3}"},
            "arch": "arm64",
            "priority": 500 if n % 40 == 3 else 1000,
            "queueKey": [500 if n % 40 == 3 else 1000, cloud.ago(age), identifier(4000 + n)] if not is_placed else None,
            "waitingSince": cloud.ago(age) if not is_placed else None,
            "keptFree": 2 if "kept free" in message else None,
            "percent": chance.randrange(1, 99) if phase == "Pulling" else None,
            "scheduledAt": cloud.ago(age - 2) if is_placed else None,
            "vmCreatedAt": cloud.ago(age - 3) if phase == "Started" else None,
            "vmStartedAt": cloud.ago(age - 4) if phase == "Started" else None,
            "startedAt": cloud.ago(age - 5) if phase == "Started" else None,
            "finishedAt": cloud.ago(1) if phase in ("Error", "Terminated") else None,
            "ip": f"192.168.64.{n % 250 + 1}" if phase == "Started" else None,
            "hostIp": f"10.0.0.{n % 250 + 1}" if phase == "Started" else None,
            "vncUrl": f"vnc://:pw@10.0.0.{n % 250 + 1}:{5900 + n % 60}" if phase == "Started" else None,
            "ports": [{"name": "ssh", "guest": 22, "host": 10000 + n, "protocol": "tcp"}] if phase == "Started" else [],
            "vcpus": 4,
            "ram": "8G",
            "externalId": ("https://ci.example.com/job/1", "javascript:alert(1)", MARKUP)[n % 3]
            if n % 4 == 0
            else None,
            "metadata": {"pipeline": f"app-{n % 7}", "note": MARKUP} if n % 3 == 0 else {},
            "requestedBy": PEOPLE[n % len(PEOPLE)],
            "script": {"code": n % 2, "timedOut": False} if n % 9 == 0 else None,
            "never": never,
        },
    )


def _count_usage(cloud: Cloud) -> None:
    for instance in cloud.rows["instances"].values():
        if instance["phase"] in ("Started", "Pulling") and "node" in instance:
            usage = cloud.rows["nodes"][instance["node"]]["usage"]
            usage["vms"] += 1
            usage["vcpus"] += 4
            usage["ramMib"] += 8192


def _put_distributions(cloud: Cloud, macs: int) -> None:
    for n in range(6):
        nodes: list[dict[str, Any]] = [
            {
                "node": f"mac-{m:03d}",
                "percent": 100 if m < 20 * n else m * 7 % 100,
                "done": m < 20 * n,
                "message": f"no route to the registry {MARKUP}" if m == 39 else "",
            }
            for m in range(min(macs, 40))
        ]
        finished = sum(bool(node["done"]) for node in nodes)
        cloud.put(
            "distributions",
            {
                "id": identifier(300 + n),
                "name": f"dist-{n}",
                "created": cloud.ago(900 * (n + 1)),
                "template": {"id": identifier(200 + n), "name": TEMPLATES[n], "tag": f"v{n + 3}"},
                "action": "Remove" if n == 4 else "Pull",
                "phase": "Cancelled" if n == 5 else "Done" if finished == len(nodes) else "Running",
                "nodes": nodes,
                "group": identifier(100 + n % 5) if n % 2 else None,
                "finished": 0,
                "waiting": 3 if n == 1 else 0,
                "progress": f"{finished}/{len(nodes)}",
                "cancelled": n == 5,
                "finishedAt": cloud.ago(60 * n) if finished == len(nodes) else None,
                "requestedBy": PEOPLE[n % len(PEOPLE)],
            },
        )


def _put_saves(cloud: Cloud) -> None:
    for n, phase in enumerate(("Pending", "Pending", "Pending", "Done", "Error")):
        cloud.put(
            "saves",
            {
                "id": identifier(400 + n),
                "name": identifier(400 + n),
                "namespace": "anka-ci",
                "created": cloud.ago(500 * (n + 1)),
                "instance": identifier(4000 + n),
                "phase": phase,
                "node": f"mac-{n:03d}" if n else None,
                "pushedAt": cloud.ago(30) if n in (2, 3) else None,
                "tag": f"saved-{n}",
                "targetTemplate": identifier(200) if n % 2 else None,
                "newTemplateName": None if n % 2 else f"new-{n} {MARKUP}",
                "description": f"after the update {MARKUP}",
                "error": f"anka registry push: 507 {MARKUP}" if phase == "Error" else None,
                "script": {"code": 0, "timedOut": False} if n > 1 else None,
                "requestedBy": PEOPLE[n],
            },
        )


def _put_access(cloud: Cloud) -> None:
    for n, name in enumerate(("jenkins", "people of the release", MARKUP)):
        cloud.put(
            "permissionGroups",
            {
                "id": name,
                "name": name,
                "controller": ["list_vms", "start_vm", "terminate_vm", "list_nodes"][: n + 2],
                "registry": ["index", "pull_vm"][:n],
                "resources": [{"type": "node", "id": identifier(1000), "permissions": ["list"]}] if n else [],
                "namespace": "anka-ci" if n == 1 else None,
            },
        )
        cloud.put(
            "apiKeys",
            {
                "id": f"key-{n}",
                "groups": [name],
                "created": cloud.ago(86400 * n),
                "expires": cloud.ago(-86400 * 40 * n),
            },
        )
    cloud.put(
        "macPools",
        {
            "id": "lab",
            "name": "lab",
            "ranges": ["56:45:45:00:00:00-56:45:45:00:0F:FF"],
            "free": 3100,
            "inUse": 996,
            "reuseAfterSeconds": 3600,
        },
    )


def change(cloud: Cloud) -> tuple[str, Row]:
    """One thing happens: the kind and the row that is new."""
    chance = cloud.random
    if chance.random() < 0.4:
        row = dict(chance.choice(list(cloud.rows["nodes"].values())))
        row["usage"] = {**row["usage"], "cpuPercent": chance.randrange(1, 99)}
        row["heartbeatAt"] = cloud.ago(0)
        row["tasks"] = [{**task, "percent": (task["percent"] + 3) % 100} for task in row["tasks"]]
        return "nodes", cloud.put("nodes", row)
    row = dict(chance.choice(list(cloud.rows["instances"].values())))
    if row["phase"] == "Pulling":
        row["percent"] = (row["percent"] + 5) % 100
    elif row["phase"] == "Started":
        row["metadata"] = {**row["metadata"], "step": str(chance.randrange(1, 40))}
    elif row["phase"] == "Terminated":
        row.update(phase="Started", legacyState="Started", startedAt=cloud.ago(0))
        row.pop("finishedAt", None)
    else:
        row["message"] = row["message"].replace("182 full", "183 full")
    return "instances", cloud.put("instances", row)
