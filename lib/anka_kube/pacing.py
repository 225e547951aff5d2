"""When a reflector asks again after it lost its stream. Pure: randomness is an argument.

An apiserver that dies, or a CRD that changes, ends the streams of all at once. A few processes may come back at once;
a thousand must not.
"""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Protocol

from anka_runtime.backoff import Backoff, Delays, Random

RELIST_SECONDS = 1.0
"""A few processes spread their lists over this time: each of them may be large."""


@dataclass(frozen=True)
class TurnWindow:
    """For one of many alike: in trouble it asks once in each `window` (seconds, and read each time), at a moment of its
    own. N of them thus send N / window requests a second, whatever happens to the API.

    `prompt`: it resumes at once a stream that the server ended early. The apiserver does that to a watcher that was too
    slow, when many objects of the kind change: then events are due.
    """

    window: Callable[[], float]
    _: KW_ONLY
    prompt: bool = False


class Pace(Protocol):
    """Seconds to wait before the next request, of one reflector. `reset` after progress."""

    def reset(self) -> None: ...

    def after_end(self) -> float:
        """The server ended a stream that had worked, before its time."""
        ...

    def before_list(self, retry_after: float | None) -> float:
        """The version of the store is too old for a stream: all has to be listed again."""
        ...

    def after_error(self, retry_after: float | None = None) -> float:
        """Anything else."""
        ...


class PromptPace:
    """Of one of a few processes: short delays that grow."""

    def __init__(self, backoff: Backoff, chance: Random) -> None:
        self._chance = chance
        self._delays = Delays(backoff, chance)

    def reset(self) -> None:
        self._delays.reset()

    def after_end(self) -> float:
        return 0.0

    def before_list(self, retry_after: float | None) -> float:
        first = self._delays.attempt == 0
        delay = self._delays.next(retry_after)
        return RELIST_SECONDS * self._chance() if first and retry_after is None else delay

    def after_error(self, retry_after: float | None = None) -> float:
        return self._delays.next(retry_after)


class SpreadPace:
    """Of one of many: a random moment in the window, and then one request in each."""

    def __init__(self, spread: TurnWindow, chance: Random) -> None:
        self._spread = spread
        self._chance = chance
        self._in_trouble = False

    def reset(self) -> None:
        self._in_trouble = False

    def after_end(self) -> float:
        return 0.0 if self._spread.prompt else self._spread.window() * self._chance()

    def before_list(self, retry_after: float | None) -> float:
        return self.after_error(retry_after)

    def after_error(self, retry_after: float | None = None) -> float:
        # The moment is drawn once: anew in each window, two requests could be close together.
        share = 1.0 if self._in_trouble else self._chance()
        self._in_trouble = True
        return (retry_after or 0.0) + self._spread.window() * share
