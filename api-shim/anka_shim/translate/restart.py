"""`POST /api/v1/rpc/vm/restart`: the request as a merge patch of AnkaInstance.spec."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import ValidationError

from anka_crds.api.instance import AnkaInstanceSpec
from anka_crds.api.phase import Phase
from anka_shim.translate import values
from anka_shim.translate.failure import Failure
from anka_shim.translate.times import rfc3339
from anka_shim.translate.values import Json

RESTARTABLE = (Phase.STARTED, Phase.STOPPED)


PARAMETERS = {"vnc_password": "vncPassword", "usb_device": "usbDevice"}
"""What a restart may change -> field of AnkaInstance.spec. What is not given stays."""


def restart(state: Phase, now: datetime, data: Json) -> dict[str, Any]:
    """The agent restarts the VM for a time that it has not seen yet. Raises Failure for a VM that was not started, or
    is about to go: it would be restarted by surprise, or never; and for what can't be meant."""
    if state not in RESTARTABLE:
        raise Failure(not_restartable(state))
    texts = {name: values.text(data, name) for name in PARAMETERS}
    given = {PARAMETERS[name]: text for name, text in texts.items() if text is not None}
    try:
        AnkaInstanceSpec.model_validate({"template": "t", **given})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        names = {field: name for name, field in PARAMETERS.items()}
        raise values.wrong(names[str(first["loc"][0])], first["msg"], first["input"]) from None
    changes: dict[str, Any] = {"restartedAt": rfc3339(now), **given}
    if "vncPassword" in given:
        # Only one of the two may be there, and the new one counts.
        changes["vncPasswordSecretRef"] = None
    return changes


def not_restartable(state: Phase) -> str:
    return f"the VM can't be restarted: it is {state}, and must be {' or '.join(RESTARTABLE)}"
