"""What the REST API says of permissions and events, for an invented cloud."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

from anka_dev.portal.fixtures import MARKUP, identifier
from anka_shim.permission.answer import permission_answers, resource_kind_answers

_NAMES = ("StartVM", "VMStarted", "TerminateVM", "VMTerminated", "VMFailedToStart", "ConfigNode", "TemplatePulled")
PRIVATE_KEY = base64.b64encode(bytes(range(256)) * 4).decode()
"""As long as a real one."""


def list_permissions() -> list[dict[str, Any]]:
    return [one.model_dump() for one in permission_answers()]


def list_resource_kinds() -> list[dict[str, Any]]:
    return [one.model_dump() for one in resource_kind_answers()]


def list_events() -> dict[str, Any]:
    now = int(datetime.now(UTC).timestamp())
    return {"events": [_event(n, now - 37 * n) for n in range(300)], "more": True}


def _event(n: int, at: int) -> dict[str, Any]:
    name = _NAMES[n % len(_NAMES)]
    event: dict[str, Any] = {"event_id": identifier(n), "name": name, "time": at, "machineName": "anka-operator-7d9f"}
    event["type"] = "apiAction" if name in ("StartVM", "TerminateVM", "ConfigNode") else "systemAction"
    if "VM" in name:
        event |= {"instance_id": identifier(n % 50), "sub_type": "vmAction"}
        event |= {"user": MARKUP} if n % 14 == 0 else {"user": "jenkins"}
    elif name == "ConfigNode":
        event |= {"node_id": "node-001", "node_name": "mac-001", "drain_mode": True, "user": "ada@example.com"}
    else:
        event |= {"template_id": identifier(3), "tag": "base", "node_id": "node-002"}
    if name == "VMFailedToStart":
        event["message"] = f"pull failed: {MARKUP}"
    return event
