"""All that the next step depends on: the desired and the observed state of one instance."""

from dataclasses import dataclass
from enum import Enum
from typing import Literal

from anka_crds.api.conditions import InstanceReason
from anka_crds.api.states import Phase

VmAction = Literal["Stop", "Keep", "Delete"]


@dataclass(frozen=True, slots=True)
class ObservedVm:
    """The instance's VM on this Mac. `ever_started` comes from its own record: it survives the agent."""

    status: str
    ip: str | None = None
    ever_started: bool = False

    @property
    def running(self) -> bool:
        return self.status == "running"


class JobState(Enum):
    """The startup script of the instance."""

    NONE = "none"
    """Never begun."""
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    LOST = "lost"
    """Begun, but its process vanished without a result: the Mac went down."""


@dataclass(frozen=True, slots=True)
class WantedScript:
    """The wanted startup script, without its text."""

    condition: Literal["NetworkUp", "Booted"] = "NetworkUp"
    monitoring: bool = False
    on_failure: VmAction = "Stop"


@dataclass(frozen=True, slots=True)
class InstanceFailure:
    """Why the instance cannot go on. `vm`: what happens to the VM."""

    reason: InstanceReason
    message: str
    vm: VmAction = "Stop"
    elsewhere: bool = False
    """Whether another Mac may succeed: the fault may be this Mac's."""


@dataclass(frozen=True, slots=True)
class Situation:
    """One instance at one moment."""

    phase: Phase
    deleting: bool = False
    finalizer: bool = True
    vm: ObservedVm | None = None
    template_held: bool = True
    options: bool = False
    """Whether any setting of the VM differs from its template."""
    configured: bool = False
    """Whether this process has applied those options. Not kept: applying them again is harmless."""
    network: bool = True
    """Whether the VM is going to have an address."""
    grow: bool = False
    """Whether the APFS container in the VM is still to be grown into its disk."""
    script: WantedScript | None = None
    job: JobState = JobState.NONE
    exit_code: int | None = None
    """Exit code of the script, if it has one."""
    restart_wanted: bool = False
    report_due: bool = False
    """Whether the VM as the API shows it differs from what is observed."""
    failure: InstanceFailure | None = None
    movable: bool = False
    """Whether another Mac may be tried: nothing of it has run here, no node is asked for, and few have refused it."""
    refused: bool = False
    """Whether this Mac has refused it: the operator takes it away, or ends it."""
