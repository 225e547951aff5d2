"""The phases of an instance as a table: which phase can follow which, and what each one means to kstatus.

Sources: docs/reference/legacy-api.md#instance-state; docs/reference/legacy-api.md#closed-states
lists the phases that clients accept during a start.
"""

from enum import Enum

from anka_crds.api.states import Phase

_ANY_END = frozenset({Phase.ERROR, Phase.TERMINATING, Phase.TERMINATED})

TRANSITIONS: dict[Phase, frozenset[Phase]] = {
    Phase.SCHEDULING: frozenset({Phase.PULLING, Phase.STARTED, Phase.STOPPED}) | _ANY_END,
    # Back to Scheduling: the pull is done and the VM is about to start, or its node was lost (nodeLostPolicy).
    Phase.PULLING: frozenset({Phase.SCHEDULING, Phase.STARTED}) | _ANY_END,
    Phase.STARTED: frozenset({Phase.SCHEDULING, Phase.STOPPING, Phase.STOPPED, Phase.PUSHING}) | _ANY_END,
    Phase.STOPPING: frozenset({Phase.STOPPED, Phase.STARTED}) | _ANY_END,
    Phase.STOPPED: frozenset({Phase.STARTED}) | _ANY_END,
    Phase.PUSHING: frozenset({Phase.STARTED, Phase.STOPPED}) | _ANY_END,
    Phase.ERROR: frozenset({Phase.TERMINATING, Phase.TERMINATED}),
    Phase.TERMINATING: frozenset({Phase.TERMINATED, Phase.ERROR}),
    Phase.TERMINATED: frozenset(),
}


class Health(Enum):
    """What a phase means to clients that wait for the object (kstatus)."""

    PROGRESSING = "progressing"
    READY = "ready"
    FAILED = "failed"


FINISHED = frozenset({Phase.ERROR, Phase.STOPPED, Phase.TERMINATED})
"""Phases that do not change by themselves."""

HEALTH: dict[Phase, Health] = {
    **dict.fromkeys(Phase, Health.PROGRESSING),
    **dict.fromkeys(FINISHED, Health.FAILED),
    Phase.STARTED: Health.READY,
}


def holds_slot(phase: Phase, vm_status: str | None) -> bool:
    """Whether a bound instance takes up capacity on its node. A failed one does while its VM still runs
    (startupScript.failHandler Keep): Anka counts running VMs."""
    return phase not in FINISHED or vm_status == "running"


def can_follow(before: Phase, after: Phase) -> bool:
    return before is after or after in TRANSITIONS[before]
