"""What the agent writes into the status of a SaveImage: its end, in one JSON merge patch."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from anka_agent.plan.report import MESSAGE_LIMIT, bounded
from anka_agent.plan.save import SaveFailure
from anka_crds.api.save_image import SaveImage, SaveImageError
from anka_crds.api.vm_info import ScriptResult
from anka_crds.core.conditions import summarised
from anka_crds.core.lifecycle import Health

Status = dict[str, Any]


def done(save: SaveImage, now: datetime, script: ScriptResult | None) -> Status:
    spec = save.spec
    name = spec.target_template or spec.new_template_name
    return {
        **_ended(save, "Done", Health.READY, "Saved", f"Pushed as {name}:{spec.tag}", now, script),
        "error": None,
    }


def failed(save: SaveImage, failure: SaveFailure, now: datetime, script: ScriptResult | None) -> Status:
    message = bounded(failure.message, MESSAGE_LIMIT)
    error = SaveImageError(message=message, type=failure.type, code=failure.code)
    return {
        **_ended(save, "Error", Health.FAILED, failure.reason, message, now, script),
        "error": error.to_api(),
    }


def _ended(
    save: SaveImage,
    phase: str,
    health: Health,
    reason: str,
    message: str,
    now: datetime,
    script: ScriptResult | None,
) -> Status:
    generation = save.metadata.generation
    conditions = summarised(save.status.conditions, health, reason, message, generation=generation, now=now)
    return {
        "phase": phase,
        "observedGeneration": generation,
        "conditions": [condition.to_api() for condition in conditions],
        **({"scriptResult": script.to_api()} if script is not None else {}),
    }
