"""What the agent does about spec.agentVersion: nothing, wait, fail, or update."""

import re
from dataclasses import dataclass
from enum import StrEnum

from anka_crds.api.node import AgentUpdate, AnkaNodeSpec

VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
"""A valid version: it becomes the name of a folder, and part of a URL."""


NO_LAUNCHER = "this agent can't be updated: start it by `anka-agent launch` instead of run"
NO_PLACE = "this agent knows no place to download from: start it with --package-url"


class UpdateAction(StrEnum):
    NOTHING = "nothing"
    """The wanted version runs, or none is wanted."""
    WAIT = "wait"
    FAIL = "fail"
    STAY = "stay"
    """The update failed before with the same package: that report stays."""
    GO = "go"


@dataclass(frozen=True, slots=True)
class UpdateDecision:
    """`message`: why it waits, or why it fails."""

    action: UpdateAction
    message: str = ""


def decide_update(
    spec: AnkaNodeSpec,
    approved: str | None,
    *,
    running: str,
    reported: AgentUpdate | None,
    launched: bool,
    obtainable: bool,
) -> UpdateDecision:
    """`reported`: the last report. `launched`: a launcher runs this process and can start other versions.
    `obtainable`: the version is on this Mac already, or there is a place to download it from."""
    version = spec.agent_version
    if version is None or version == running:
        return UpdateDecision(UpdateAction.NOTHING)
    if not VERSION.fullmatch(version):
        return UpdateDecision(
            UpdateAction.FAIL, f"spec.agentVersion {version!r} is no version: letters, digits, '.', '_', '+', '-'"
        )
    if not launched:
        return UpdateDecision(UpdateAction.FAIL, NO_LAUNCHER)
    if not obtainable:
        return UpdateDecision(UpdateAction.FAIL, NO_PLACE)
    # Unlike a bad package, an agent started the wrong way is fixed by a restart.
    if (
        reported is not None
        and (reported.version, reported.checksum) == (version, spec.agent_checksum)
        and reported.failed
        and reported.message not in (NO_LAUNCHER, NO_PLACE)
    ):
        return UpdateDecision(UpdateAction.STAY)
    if approved != version:
        return UpdateDecision(UpdateAction.WAIT, "waits for its turn: a few Macs are updated at a time")
    return UpdateDecision(UpdateAction.GO)
