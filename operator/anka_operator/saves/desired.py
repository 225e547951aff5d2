"""What the operator does about a SaveImage: give it to the Mac of its instance, fail it when no agent can, and delete
the instance once it is saved. In between it belongs to the agent of that Mac."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from anka_crds.api.conditions import ConditionType, SaveReason
from anka_crds.api.instance import AnkaInstance
from anka_crds.api.save_image import SaveImage, SaveImageError
from anka_crds.api.states import Phase
from anka_crds.api.template import AnkaTemplate
from anka_crds.rules.condition_list import find
from anka_crds.rules.lifecycle import Health
from anka_crds.rules.management import is_ours
from anka_crds.rules.text import format_time, shorten
from anka_operator.status_patch import StatusPatch, to_list, with_own_health

STARTING = frozenset({Phase.SCHEDULING, Phase.PULLING})
RUNNING = frozenset({Phase.STARTED, Phase.PUSHING})
"""In phase Pushing, the Mac finishes another request first."""


_END = {"Done": ConditionType.READY, "Error": ConditionType.STALLED}
"""Phase -> the condition that turns True with it."""


class SaveAction(StrEnum):
    NOTHING = "nothing"
    WAIT = "wait"
    START = "start"
    FAIL = "fail"
    PUBLISH = "publish"
    DELETE_INSTANCE = "delete instance"


@dataclass(frozen=True, slots=True)
class SaveTransition:
    """`reason` and `message` are for WAIT and FAIL."""

    action: SaveAction
    reason: SaveReason = SaveReason.SAVING
    message: str = ""
    instance_missing: bool = False
    """It follows from the absence of the instance: a store may be late, so the API must confirm that."""


NOTHING = SaveTransition(SaveAction.NOTHING)


def decide_transition(save: SaveImage, instance: AnkaInstance | None, node_lost: str | None) -> SaveTransition:
    """`instance`: the one that it names. `node_lost`: what happened to its node, if it is lost or deleted."""
    if save.metadata.deletion_timestamp is not None or save.status.phase == "Error":
        return NOTHING
    if save.status.phase == "Done":
        alive = instance is not None and instance.metadata.deletion_timestamp is None
        return SaveTransition(SaveAction.DELETE_INSTANCE) if alive and _belongs_to(save, instance) else NOTHING
    if save.status.pushed_at is not None:
        return SaveTransition(SaveAction.PUBLISH)
    if save.status.node_name is None:
        return _decide_new(save, instance)
    if node_lost is not None:
        return SaveTransition(SaveAction.FAIL, SaveReason.NODE_LOST, node_lost)
    if instance is None or not _belongs_to(save, instance):
        message = f"The instance {save.spec.instance} was deleted before it was saved"
        return SaveTransition(SaveAction.FAIL, SaveReason.INSTANCE_DELETED, message, instance_missing=True)
    return NOTHING


def resolve_target(word: str, templates: Iterable[AnkaTemplate]) -> str | SaveTransition | None:
    """The id of the template in the registry that the word means: by id, else by the name that the registry has; why
    there is none; or None if it is unknown here, so that the agent's question to the registry decides.

    A displayName does not count: the verb `push` is checked for the word as it is written, and whoever may edit
    AnkaTemplates could give the displayName to another one."""
    known = list(templates)
    named = sorted(one.metadata.name for one in known if one.status.name == word)
    if any(one.metadata.name == word for one in known):
        return word
    if len(named) > 1:
        message = f"{len(named)} templates are called {word}: give one's UUID ({', '.join(named)})"
        return SaveTransition(SaveAction.FAIL, SaveReason.TEMPLATE_AMBIGUOUS, message)
    shown = sorted(one.metadata.name for one in known if one.spec.display_name == word)
    if shown and not named:
        message = f"{word} is a displayName, which is no target of a push: give the UUID ({', '.join(shown)})"
        return SaveTransition(SaveAction.FAIL, SaveReason.TEMPLATE_NOT_FOUND, message)
    return named[0] if named else None


def expires_in(save: SaveImage, now: datetime) -> float:
    """Seconds until the object is to be deleted; infinite without a time to live, or before its end."""
    ttl = save.spec.ttl_seconds_after_finished
    # Only the end of the request turns this condition to True.
    end = _END.get(save.status.phase)
    ended = find(save.status.conditions, end) if end is not None else None
    if ttl is None or ended is None or ended.status != "True":
        return math.inf
    return max(0.0, ttl - (now - ended.last_transition_time).total_seconds())


def _decide_new(save: SaveImage, instance: AnkaInstance | None) -> SaveTransition:
    name = save.spec.instance
    if instance is None:
        message = f"There is no AnkaInstance {name} in namespace {save.metadata.namespace}"
        return SaveTransition(SaveAction.FAIL, SaveReason.INSTANCE_NOT_FOUND, message, instance_missing=True)
    if not is_ours(instance):
        message = f"The instance {name} is managed by {instance.spec.managed_by}: its VM is not on a Mac of this cloud"
        return SaveTransition(SaveAction.FAIL, SaveReason.INSTANCE_NOT_RUNNING, message)
    phase = instance.status.phase
    if instance.metadata.deletion_timestamp is not None:
        return SaveTransition(SaveAction.FAIL, SaveReason.INSTANCE_DELETED, f"The instance {name} is being deleted")
    if phase in STARTING:
        return SaveTransition(
            SaveAction.WAIT, SaveReason.INSTANCE_STARTING, f"Waits until the instance {name} is {Phase.STARTED}"
        )
    if phase not in RUNNING or instance.status.node_name is None or instance.status.vm is None:
        message = f"The instance {name} is {phase}: only one that is {Phase.STARTED} can be saved"
        return SaveTransition(SaveAction.FAIL, SaveReason.INSTANCE_NOT_RUNNING, message)
    return SaveTransition(SaveAction.START)


def _belongs_to(save: SaveImage, instance: AnkaInstance | None) -> bool:
    """False for another instance that now has the name, and for the same one on its next Mac."""
    vm = None if instance is None else instance.status.vm
    return vm is not None and vm.uuid == save.status.vm_uuid


def start_status(
    save: SaveImage, instance: AnkaInstance, *, registry: str | None, target: str | None = None, now: datetime
) -> StatusPatch:
    """Hand the request to the agent of the instance's node, in one write. `target`: id of its target template."""
    if instance.status.vm is None:
        raise ValueError(f"{instance.metadata.name} has no VM: its save cannot start")
    node = instance.status.node_name
    remote = save.spec.registry or instance.status.registry or registry
    return {
        **_summarize(save, Health.PROGRESSING, SaveReason.SAVING, f"The agent of {node} saves it", now),
        "nodeName": node,
        "instanceId": instance.metadata.uid,
        "vmUuid": instance.status.vm.uuid,
        "requestedAt": format_time(now),
        **({"registry": remote} if remote else {}),
        **({"targetTemplate": target} if target else {}),
    }


def is_elsewhere(remote: str | None, registry: str | None) -> bool:
    """Whether a registry is another one than ours, `registry`, whose templates are mirrored."""
    return remote is not None and remote.rstrip("/") != (registry or "").rstrip("/")


def wait_status(save: SaveImage, transition: SaveTransition, *, now: datetime) -> StatusPatch:
    return _summarize(save, Health.PROGRESSING, transition.reason, transition.message, now)


def done_status(save: SaveImage, *, is_seen: bool, now: datetime) -> StatusPatch:
    """`is_seen`: whether the registry answered since the push."""
    spec = save.spec
    where = f" to {spec.registry}" if spec.registry else ""
    doubt = "" if is_seen else "; the registry does not answer, so the AnkaTemplate does not show it yet"
    message = f"Pushed as {spec.target_template or spec.new_template_name}:{spec.tag}{where}{doubt}"
    return {
        **_summarize(save, Health.READY, SaveReason.SAVED, shorten(message), now),
        "phase": "Done",
        "error": None,
    }


def failure_status(save: SaveImage, transition: SaveTransition, *, now: datetime) -> StatusPatch:
    error = SaveImageError(message=shorten(transition.message), type=transition.reason)
    return {
        **_summarize(save, Health.FAILED, transition.reason, shorten(transition.message), now),
        "phase": "Error",
        "error": error.to_api(),
        **({} if save.status.requested_at else {"requestedAt": format_time(now)}),
    }


def already_reports(save: SaveImage, transition: SaveTransition) -> bool:
    """Whether the condition Ready has the reason and message of this transition."""
    ready = find(save.status.conditions, ConditionType.READY)
    return ready is not None and (ready.reason, ready.message) == (transition.reason, transition.message)


def _summarize(save: SaveImage, health: Health, reason: SaveReason, message: str, now: datetime) -> StatusPatch:
    conditions = with_own_health(save, health, reason, message, now)
    return {"observedGeneration": save.metadata.generation, "conditions": to_list(conditions)}
