"""What a command of `anka` works with."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from anka_sim.mac.core import SimulatedMac


class CommandContext:
    """The Mac, and where the command's output goes; `machine`: whether the answer is JSON."""

    def __init__(self, mac: SimulatedMac, machine: bool, out: TextIO, err: TextIO) -> None:
        self.mac = mac
        self.machine = machine
        self.out = out
        self.err = err

    def progress(self, line: str) -> None:
        """Write a line before the answer: to stdout for machines (the answer comes last), to stderr for people."""
        stream = self.out if self.machine else self.err
        stream.write(line + "\n")
        stream.flush()


class Exit(Exception):
    """A command that has printed its own output and ends with this exit code (`run`)."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code
