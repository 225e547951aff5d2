"""How full the cloud was: a sample every few seconds, of the last hour. Pure."""

from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

STEP_SECONDS = 10
MOST_SAMPLES = 3600 // STEP_SECONDS


@dataclass(frozen=True, slots=True)
class Sample:
    """`t`: epoch seconds. `capacity`: VMs that the Macs in state Active can run. `oldest_wait`: seconds. `started` and
    `failed`: since the sample before."""

    t: int
    running: int
    waiting: int
    capacity: int
    oldest_wait: int
    started: int
    failed: int


_NAMES = {"oldest_wait": "oldestWait"}


class SampleMemory:
    def __init__(self) -> None:
        self._samples: deque[Sample] = deque(maxlen=MOST_SAMPLES)

    def add(self, sample: Sample) -> None:
        self._samples.append(sample)

    def to_series(self) -> dict[str, list[Any]]:
        """A list for each figure, the oldest sample first."""
        rows = [asdict(sample) for sample in self._samples]
        return {_NAMES.get(name, name): [row[name] for row in rows] for name in Sample.__dataclass_fields__}


class UsageMemory:
    """Of each Mac: time, VMs, percent of CPU and of RAM."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._rings: dict[str, deque[tuple[int, int, int, int]]] = {}

    def add(self, node: str, row: tuple[int, int, int, int]) -> None:
        self._rings.setdefault(node, deque(maxlen=self._most)).append(row)

    def of_node(self, node: str) -> list[tuple[int, int, int, int]]:
        return list(self._rings.get(node, ()))

    def forget_node(self, node: str) -> None:
        self._rings.pop(node, None)
