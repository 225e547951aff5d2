"""What the portal's server knows beside the rows, invented: history, explanations, Events."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

from anka_dev.portal.fixtures import LONG, MARKUP, TEMPLATES, Cloud, identifier, stamp
from anka_dev.portal.instance_details import instance_object

STEP_SECONDS = 10
SAMPLES = 360
WHY = ("is full", "is draining", "is offline", f"is not in group {MARKUP}", "lacks vCPUs")


def history(cloud: Cloud) -> dict[str, Any]:
    now = datetime.now(UTC)
    waves = [math.sin(n / 40) for n in range(SAMPLES)]
    running = [None if 100 < n < 110 else round(230 + 90 * wave) for n, wave in enumerate(waves)]
    return {
        "since": stamp(now - timedelta(hours=1)),
        "step": STEP_SECONDS,
        "series": {
            "t": [now.timestamp() - STEP_SECONDS * (SAMPLES - n) for n in range(SAMPLES)],
            "running": running,
            "waiting": [max(0, round(120 * wave - 20)) for wave in waves],
            "capacity": [440 if n < 200 else 460 for n in range(SAMPLES)],
            "oldestWait": [max(0, round(300 * wave - 20)) for wave in waves],
            "started": [n * 7 % 4 for n in range(SAMPLES)],
            "failed": [int(n % 23 == 0) for n in range(SAMPLES)],
        },
        "failures": {"CloneFailed": 9, "PullFailed": 4, "NetworkTimeout": 2, "ScriptFailed": 1},
        "startSeconds": {
            name: {"p50": 12.5 + 3 * n, "p95": 31.0 + 20 * n, "n": 120 - 9 * n} for n, name in enumerate(TEMPLATES)
        },
        "waitSeconds": {"p50": 2.4, "p95": 71.0, "n": 518},
        "pullHits": {"cached": 480, "pulled": 38},
    }


def explanation(cloud: Cloud, query: dict[str, str]) -> dict[str, Any]:
    nodes = []
    for n, node in enumerate(cloud.rows["nodes"].values()):
        fits = bool(query.get("vmid")) and n in (5, 8)
        why = {} if fits else {"why": WHY[0 if n % 9 else n % len(WHY)]}
        nodes.append({"node": node["id"], "name": node["name"], "fits": fits, "needsPull": n == 8, "running": 2} | why)
    fitting = [node for node in nodes if node["fits"]]
    message = f"0/{len(nodes)} nodes fit: {len(nodes)} full"
    waits = {"reason": "Unschedulable", "message": message}
    return {
        "answer": {"node": fitting[0]["node"], "name": fitting[0]["name"]} if fitting else waits,
        "ahead": 12,
        "placed": 3,
        "nodes": [*fitting, *(node for node in nodes if not node["fits"])],
    }


def node_history(cloud: Cloud) -> dict[str, Any]:
    now = datetime.now(UTC)
    instances = [
        {
            "id": identifier(4000 + n),
            "name": LONG if n == 2 else f"build-{n}",
            "template": TEMPLATES[n % len(TEMPLATES)],
            "tag": "v3",
            "boundAt": stamp(now - timedelta(minutes=7 * n + 1)),
            "startedAt": stamp(now - timedelta(minutes=7 * n)),
            "finishedAt": stamp(now - timedelta(minutes=7 * n - 5)) if n > 1 else None,
            "result": "Error" if n % 6 == 3 else "Started" if n < 2 else "Terminated",
        }
        | ({"reason": "CloneFailed", "message": f"anka clone: no space left {MARKUP}"} if n % 6 == 3 else {})
        for n in range(20)
    ]
    usage = [[now.timestamp() - 10 * (360 - n), n // 90 % 3, 30 + 25 * math.sin(n / 30), 61] for n in range(360)]
    return {"since": stamp(now - timedelta(hours=1)), "instances": instances, "usage": usage}


def object_detail(cloud: Cloud, kind: str, id_: str) -> dict[str, Any] | None:
    row = cloud.rows.get(kind, {}).get(id_)
    if row is None:
        return None
    now = datetime.now(UTC)
    return {
        "object": instance_object(row) if kind == "instances" else row,
        "yaml": f"apiVersion: anka.veertu.com/v1alpha1\nmetadata:\n  name: {id_}\nspec:\n  note: '{MARKUP}'\n",
        "events": [
            {
                "at": stamp(now - timedelta(minutes=9 * n)),
                "type": "Warning" if n % 3 == 1 else "Normal",
                "reason": ("Active", "NoHeartbeat", "AgentUpdate")[n % 3],
                "message": f"it happened {MARKUP}" if n == 1 else "as it should",
                "count": n + 1,
                "by": "anka-operator",
            }
            for n in range(5)
        ],
    }
