"""What the agent writes into the status of a SaveImage, in one JSON merge patch: the VM is pushed, or nothing is saved.
The operator makes it Done."""

from datetime import datetime
from typing import Any

from anka_agent.plan.instance_report import MESSAGE_LIMIT, to_script_status
from anka_agent.plan.save import SaveFailure
from anka_crds.api.conditions import SaveReason
from anka_crds.api.save_image import SaveImage, SaveImageError
from anka_crds.api.vm_info import ScriptResult
from anka_crds.rules.condition_list import with_health
from anka_crds.rules.lifecycle import Health
from anka_crds.rules.text import format_time, shorten

Status = dict[str, Any]


def to_pushed(save: SaveImage, now: datetime, script: ScriptResult | None) -> Status:
    message = "Pushed; the operator reads it in the registry"
    return {
        **_summarize(save, Health.PROGRESSING, SaveReason.PUSHED, message, now, script),
        "pushedAt": format_time(now),
    }


def to_failed(save: SaveImage, failure: SaveFailure, now: datetime, script: ScriptResult | None) -> Status:
    message = shorten(failure.message, MESSAGE_LIMIT)
    error = SaveImageError(message=message, type=failure.type, code=failure.code)
    return {
        **_summarize(save, Health.FAILED, failure.reason, message, now, script),
        "phase": "Error",
        "error": error.to_api(),
    }


def _summarize(
    save: SaveImage,
    health: Health,
    reason: SaveReason,
    message: str,
    now: datetime,
    script: ScriptResult | None,
) -> Status:
    generation = save.metadata.generation
    conditions = with_health(save.status.conditions, health, reason, message, generation=generation, now=now)
    return {
        "observedGeneration": generation,
        "conditions": [condition.to_api() for condition in conditions],
        **({"scriptResult": to_script_status(script)} if script is not None else {}),
    }
