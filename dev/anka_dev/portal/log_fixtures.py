"""Invented logs, as the REST API lists and follows them."""

from __future__ import annotations

import asyncio
import contextlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from anka_dev.portal.fixtures import MARKUP, stamp

_LEVELS = ("INFO", "INFO", "DEBUG", "INFO", "WARNING", "INFO", "ERROR")
_WORDS = ("anka start", "heartbeat sent", "VM has an address", f"pull failed: {MARKUP}", "instance is ready")
_FIRST_LINES = 400


def list_logs(now: datetime, macs: int = 40) -> list[dict[str, Any]]:
    found = [_log(f"node-{n:03}", "anka_agent", now - timedelta(seconds=n * 7), 10_000 + n * 777) for n in range(macs)]
    found += [_log("anka-operator-7d9f-x2k", "anka_operator", now, 812_345), _log("event", "event", now, 99_000)]
    found += [
        _log("anka-shim-5f4b-abc", "anka_shim", now, 2_345_678),
        _log("old-mac", "strange", now, 1, is_read=False),
    ]
    return found


def _log(node: str, service: str, at: datetime, size: int, *, is_read: bool = True) -> dict[str, Any]:
    file = f"/logs/file?node_id={node}" + ("" if service == "anka_agent" else f"&service={service}")
    return {
        "node_id": node,
        "instance_id": None,
        "service": service,
        "size": size,
        "modified": stamp(at),
        "file": file if is_read else None,
    }


def make_line(n: int, now: datetime) -> bytes:
    line: dict[str, Any] = {
        "ts": now.isoformat(timespec="seconds"),
        "level": _LEVELS[n % len(_LEVELS)],
        "logger": "anka_agent.vm",
        "message": _WORDS[n % len(_WORDS)],
        "instance": f"anka-ci/vm-{n % 17}",
        "ms": n * 13 % 2000,
    }
    return json.dumps(line).encode() + b"\n"


async def send_log(request: web.Request) -> web.StreamResponse:
    """What is there; where it is followed, a line each second."""
    answer = web.StreamResponse(headers={"Content-Type": "text/plain"})
    await answer.prepare(request)
    now = datetime.now(UTC)
    for n in range(_FIRST_LINES):
        await answer.write(make_line(n, now - timedelta(seconds=_FIRST_LINES - n)))
    n = _FIRST_LINES
    with contextlib.suppress(ConnectionError):
        while request.path.endswith("stream"):
            await asyncio.sleep(1)
            await answer.write(make_line(n, datetime.now(UTC)))
            n += 1
    return answer
