"""What the portal's server knows of one instance beside its row, invented: steps of its start, conditions, output."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from anka_dev.portal.fixtures import LONG, MARKUP, Cloud, Row, stamp

MEDIANS = {"wait": 1.2, "pull": 61.0, "clone": 2.4, "start": 14.0, "network": 6.1, "script": 21.0}
OUTPUT = f"==> Fetching\n{MARKUP}\n{LONG * 3}\nProductName: macOS\nProductVersion: 26.1\n"


def answer(cloud: Cloud, path: str, query: dict[str, str]) -> Any:
    """None for what is not known here."""
    id_ = query.get("id", "")
    instance = cloud.rows["instances"].get(id_)
    if path == "/portal/v1/timeline" and instance is not None:
        return timeline(instance)
    if path == "/api/v1/image" and id_ in cloud.rows["saves"]:
        result = {"return_code": 0, "did_timeout": False, "stdout": OUTPUT, "stderr": "", "errors": None}
        return {"id": id_, "status": "done", "script_result": result}
    if path == "/api/v1/logs" and "node_id" in query:
        return [log for instance in cloud.rows["instances"] for log in _logs(query["node_id"], instance)][:40]
    return None


def timeline(row: Row) -> dict[str, Any]:
    """What waits has its first step only; a pull lasts; what has started has had them all."""
    begin = datetime.fromisoformat(row["created"])
    names = {"Scheduling": ["wait"], "Pulling": ["wait", "pull"]}.get(row["phase"], list(MEDIANS))
    seconds = [1.0, 190.0, 2.1, 16.0, 5.0, 20.0]
    steps = []
    for name, length in zip(names, seconds, strict=False):
        is_last = name == names[-1] and row["phase"] in ("Scheduling", "Pulling")
        end = begin + timedelta(seconds=length)
        step = {"name": name, "from": stamp(begin), "to": None if is_last else stamp(end), "seconds": length}
        steps.append(step | {"seen": name != "clone"})
        begin = end
    return {"steps": steps, "median": MEDIANS, "of": 41, "since": stamp(begin - timedelta(hours=1))}


def instance_object(row: Row) -> dict[str, Any]:
    """As much of the object as the page shows."""
    is_failed, is_ready = row["phase"] == "Error", row["phase"] == "Started"
    now = stamp(datetime.now(UTC) - timedelta(minutes=3))
    conditions = [
        {"type": "Ready", "status": str(is_ready), "reason": row["reason"], "message": row.get("message") or "it runs"},
        {"type": "Scheduled", "status": str("node" in row), "reason": "Scheduled", "message": f"bound {MARKUP}"},
        *(
            [{"type": "Stalled", "status": "True", "reason": row["reason"], "message": row["message"]}]
            if is_failed
            else []
        ),
    ]
    status: dict[str, Any] = {"conditions": [{**one, "lastTransitionTime": now} for one in conditions]}
    if "script" in row:
        status["startupScript"] = {
            "returnCode": row["script"]["code"],
            "stdout": OUTPUT,
            "stderr": f"warning: {MARKUP}\n",
        }
    if is_failed:
        status["refusals"] = [{"nodeName": "mac-007", "reason": "CloneFailed", "message": f"no space left {MARKUP}"}]
    return {"metadata": {"name": row["name"]}, "status": status}


def _logs(node: str, instance: str) -> list[dict[str, Any]]:
    at = stamp(datetime.now(UTC) - timedelta(minutes=2))
    agent = {"node_id": node, "instance_id": None, "service": "anka_agent", "size": 81_234, "modified": at}
    own = {"node_id": node, "instance_id": instance, "service": "vm", "size": 4_321, "modified": at}
    return [{**agent, "file": f"/logs/file?node_id={node}"}, {**own, "file": f"/logs/file?instance_id={instance}"}]
