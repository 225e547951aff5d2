"""What the agent does about spec.agentVersion: nothing, wait, give up, or go."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from anka_crds.api.node import AgentUpdate, AnkaNodeSpec

VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
"""What a version may be called: it becomes the name of a folder, and part of a URL."""


NO_LAUNCHER = "this agent can't be updated: start it by `anka-agent launch` instead of run"
NO_PLACE = "this agent knows no place to download from: start it with --package-url"


class Action(StrEnum):
    NOTHING = "nothing"
    """The wanted version runs, or none is wanted."""
    WAIT = "wait"
    FAIL = "fail"
    STAY = "stay"
    """It failed before, with the same package: the report of it stays."""
    GO = "go"


@dataclass(frozen=True, slots=True)
class Decision:
    """`message`: why it waits, or why it fails."""

    action: Action
    message: str = ""


def decide(
    spec: AnkaNodeSpec,
    approved: str | None,
    *,
    running: str,
    told: AgentUpdate | None,
    launched: bool,
    obtainable: bool,
) -> Decision:
    """`told`: what was reported last. `launched`: a launcher runs us, which starts other versions. `obtainable`: the
    version is on this Mac already, or there is a place to download it from."""
    version = spec.agent_version
    if version is None or version == running:
        return Decision(Action.NOTHING)
    if not VERSION.fullmatch(version):
        return Decision(
            Action.FAIL, f"spec.agentVersion {version!r} is no version: letters, digits, '.', '_', '+', '-'"
        )
    if not launched:
        return Decision(Action.FAIL, NO_LAUNCHER)
    if not obtainable:
        return Decision(Action.FAIL, NO_PLACE)
    again = told is not None and (told.version, told.checksum) == (version, spec.agent_checksum)
    # What was wrong with how the agent was started is mended by a restart.
    if again and told is not None and told.failed and told.message not in (NO_LAUNCHER, NO_PLACE):
        return Decision(Action.STAY)
    if approved != version:
        return Decision(Action.WAIT, "waits for its turn: a few Macs are updated at a time")
    return Decision(Action.GO)
