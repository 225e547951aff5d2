"""The life of an instance as a table: which phase may follow which, and what each phase means to kstatus.

Source: seed document, instance_state: "Scheduling -> Pulling, Started, Stopped, Pushing, or Error -> Terminating ->
Terminated"; legacy-clients section 1.3: during a start clients accept Scheduling, Pulling and Started only.
"""

from __future__ import annotations

from enum import Enum

from anka_crds.api.phase import Phase

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
    """What a phase means to whoever waits for the object (kstatus)."""

    PROGRESSING = "progressing"
    READY = "ready"
    FAILED = "failed"


HEALTH: dict[Phase, Health] = {
    Phase.SCHEDULING: Health.PROGRESSING,
    Phase.PULLING: Health.PROGRESSING,
    Phase.STARTED: Health.READY,
    Phase.STOPPING: Health.PROGRESSING,
    Phase.STOPPED: Health.FAILED,
    Phase.PUSHING: Health.PROGRESSING,
    Phase.ERROR: Health.FAILED,
    Phase.TERMINATING: Health.PROGRESSING,
    Phase.TERMINATED: Health.FAILED,
}

FINISHED = frozenset({Phase.ERROR, Phase.STOPPED, Phase.TERMINATED})
"""Nothing more happens by itself in these phases."""


def holds_slot(phase: Phase, vm_status: str | None) -> bool:
    """Whether a bound instance takes room on its node. One that failed does while its VM still runs there
    (startupScript.failHandler Keep): Anka counts running VMs."""
    return phase not in FINISHED or vm_status == "running"


def may_follow(before: Phase, after: Phase) -> bool:
    return before is after or after in TRANSITIONS[before]
