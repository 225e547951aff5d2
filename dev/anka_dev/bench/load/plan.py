"""A load and its result, which travel as JSON between two processes. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Self

from anka_dev.bench.figures import percentile

NAME = "{name}"
"""In a path or a body: replaced by the next of `names`."""


@dataclass(frozen=True)
class Plan:
    """Ends after `total` requests, or after `seconds`, whichever comes first."""

    url: str
    """The server's, such as http://127.0.0.1:8090."""
    path: str
    method: str = "GET"
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    """Used one after the other, and again from the first when they are used up."""
    connections: int = 1
    """Closed loop: clients. Open loop: the most connections at a time."""
    total: int = 0
    """0: no bound but `seconds`."""
    seconds: float = 0.0
    rate: float = 0.0
    """Requests a second of an open loop; 0 is a closed loop."""
    warm_up: int = 0
    """Answers that are not counted, at the beginning."""
    ca_file: str = ""
    expects: str = ""
    """What every good answer's body begins with."""

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(**data)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Result:
    """Of the answers that were counted."""

    seconds: float
    """From the first counted request to the last answer."""
    latencies: list[float]
    """In seconds, of the good answers."""
    answer_bytes: int
    """Bodies of the good answers together."""
    failed: int
    failure: str
    """The first bad answer."""
    cpu_seconds: float
    """CPU seconds of the load generator itself."""

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(**data)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    @property
    def bytes_each(self) -> float:
        return self.answer_bytes / len(self.latencies)

    @property
    def load_share(self) -> float:
        """How much of one core the load generator used: near 1 it was the bottleneck, not the server."""
        return self.cpu_seconds / self.seconds

    def ms(self, percent: float) -> float:
        """A percentile of the latencies in milliseconds."""
        return percentile(self.latencies, percent) * 1e3


def merge_results(results: list[Result]) -> Result:
    """Several runs of the same plan as one."""
    return Result(
        seconds=sum(one.seconds for one in results),
        latencies=[latency for one in results for latency in one.latencies],
        answer_bytes=sum(one.answer_bytes for one in results),
        failed=sum(one.failed for one in results),
        failure=next((one.failure for one in results if one.failure), ""),
        cpu_seconds=sum(one.cpu_seconds for one in results),
    )
