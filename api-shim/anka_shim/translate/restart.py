"""`POST /api/v1/rpc/vm/restart`: the request as a merge patch of AnkaInstance.spec."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from anka_crds.api.phase import Phase
from anka_shim.translate.failure import Failure
from anka_shim.translate.times import rfc3339

RESTARTABLE = (Phase.STARTED, Phase.STOPPED)


def restart(state: Phase, now: datetime) -> dict[str, Any]:
    """The agent restarts the VM for a time that it has not seen yet. Raises Failure for a VM that was not started, or
    is about to go: it would be restarted by surprise, or never."""
    if state not in RESTARTABLE:
        raise Failure(not_restartable(state))
    return {"restartedAt": rfc3339(now)}


def not_restartable(state: Phase) -> str:
    return f"the VM can't be restarted: it is {state}, and must be {' or '.join(RESTARTABLE)}"
