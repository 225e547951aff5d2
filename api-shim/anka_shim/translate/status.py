"""`GET /api/v1/status`: the body."""

from __future__ import annotations

from typing import Any


def status_answer(
    *, ready: bool, version: str, registry_address: str, registry_status: str, license_: str
) -> dict[str, Any]:
    """CI plugins provision only while `status` is "Running". `version` is MAJOR.MINOR.PATCH-hash: scripts cut it at
    the dash and compare the rest as a number."""
    return {
        "status": "Running" if ready else "Starting",
        "version": version,
        "registry_address": registry_address,
        "registry_status": registry_status,
        "license": license_,
    }
