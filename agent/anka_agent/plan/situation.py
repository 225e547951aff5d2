"""All that the next step depends on: what is wanted of one instance, and what is seen of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

from anka_crds.api.phase import Phase

VmAction = Literal["Stop", "Keep", "Delete"]


@dataclass(frozen=True, slots=True)
class SeenVm:
    """The instance's VM on this Mac. `ever_started` comes from its own record: it survives the agent."""

    status: str
    ip: str | None = None
    ever_started: bool = False

    @property
    def running(self) -> bool:
        return self.status == "running"


class Job(Enum):
    """The startup script of the instance."""

    NONE = "none"
    """Never begun."""
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    LOST = "lost"
    """Begun, but what ran it is gone without a result: the Mac went down."""


@dataclass(frozen=True, slots=True)
class Script:
    """The wanted startup script, without its text."""

    condition: Literal["NetworkUp", "Booted"] = "NetworkUp"
    monitoring: bool = False
    on_failure: VmAction = "Stop"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the instance cannot go on. `reason` is one CamelCase word, `vm` what happens to the VM."""

    reason: str
    message: str
    vm: VmAction = "Stop"


@dataclass(frozen=True, slots=True)
class Situation:
    """One instance at one moment."""

    phase: Phase
    deleting: bool = False
    finalizer: bool = True
    vm: SeenVm | None = None
    template_held: bool = True
    options: bool = False
    """Whether anything of the VM differs from its template."""
    configured: bool = False
    """Whether this process has applied those options. Not kept: applying them again is harmless."""
    network: bool = True
    """Whether the VM is going to have an address."""
    grow: bool = False
    """Whether the APFS container in the VM is still to be grown into its disk."""
    script: Script | None = None
    job: Job = Job.NONE
    exit_code: int | None = None
    """Of the script, when it has one."""
    restart_wanted: bool = False
    report_due: bool = False
    """Whether the API shows something else of the VM than what is seen."""
    failure: Failure | None = None
