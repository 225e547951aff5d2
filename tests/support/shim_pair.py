"""Two replicas of the shim: what one wrote, the other shows."""

from __future__ import annotations

import re
from collections.abc import Callable

from support.shim_process import ShimProcess

MISSES = "anka_shim_peer_misses_total"


def until_known(shim: ShimProcess, others: int) -> None:
    shim.until_true(lambda: metric(shim, "anka_shim_peers") == others)


def metric(shim: ShimProcess, name: str) -> float:
    text = shim.get("/metrics").text
    return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE))


class Pair:
    """One writes, and the other shows it at once, unless the writer counts that as missed."""

    def __init__(self, writer: ShimProcess, reader: ShimProcess) -> None:
        self.writer = writer
        self.reader = reader
        self.missed = metric(writer, MISSES)

    def shows(self, true: Callable[[], bool]) -> None:
        """What was just written is shown by the reader."""
        if true():
            return
        misses = metric(self.writer, MISSES)
        assert misses > self.missed, "it was answered too early"
        self.missed = misses
        self.reader.until_true(true)
        until_known(self.writer, 1)
