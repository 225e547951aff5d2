"""The steps in which an instance starts, by the times that are on it. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from anka_crds.api.instance import AnkaInstance
from anka_shim.portal.history.quantiles import quantile

STEP_NAMES = ("wait", "pull", "clone", "start", "network", "script")


@dataclass(frozen=True, slots=True)
class StartStep:
    """`end` is None while it lasts. `is_seen`: false where nobody saw which step it was."""

    name: str
    begin: datetime
    end: datetime | None
    is_seen: bool = True

    def seconds(self, now: datetime) -> float:
        """Clocks of Macs differ from the API's: never negative."""
        return max(0.0, ((self.end or now) - self.begin).total_seconds())


@dataclass(frozen=True, slots=True)
class PullRecord:
    """What this replica saw of the pull of an instance. `needed`: None if it was not there when that was decided.
    `ended_at`: only of a pull that took so long that the Mac told its end."""

    needed: bool | None = None
    ended_at: datetime | None = None


NOTHING_SEEN = PullRecord()


def list_steps(instance: AnkaInstance, pull: PullRecord = NOTHING_SEEN) -> list[StartStep]:
    """In order, each beginning where the one before ended; those that were not reached are left out.

    wait     until it has a node
    pull     until the template is on the Mac
    clone    until the VM is there; a pull whose end was not told includes it
    start    until the VM runs
    network  until it has an address; script, where a monitored script has run as well
    """
    status = instance.status
    begin = status.rescheduled_at or instance.metadata.creation_timestamp
    if begin is None:
        return []
    finish = status.started_at or status.finished_at
    return list(_chain(begin, finish, _marks(instance, pull)))


def _marks(instance: AnkaInstance, pull: PullRecord) -> Iterator[tuple[str, datetime | None, bool]]:
    """Each step with its end, as far as it is known, and whether it was seen."""
    status, script = instance.status, instance.spec.startup_script
    yield "wait", status.scheduled_at, True
    vm = status.vm
    made = vm.creation_date if vm is not None else None
    if pull.needed and pull.ended_at is None:
        yield "pull", made, True
    else:
        if pull.needed:
            yield "pull", pull.ended_at, True
        yield "clone", made, pull.needed is not None
    ran = vm.start_date if vm is not None else None
    # A VM that was restarted does not say any more when it ran for the first time.
    is_restart = ran is not None and status.started_at is not None and ran > status.started_at
    yield "start", None if is_restart else ran, True
    yield "script" if script is not None and script.monitoring else "network", status.started_at, True


def _chain(
    begin: datetime, finish: datetime | None, marks: Iterable[tuple[str, datetime | None, bool]]
) -> Iterator[StartStep]:
    """Nothing ends before it begins, or after the `finish`."""
    known = list(marks)
    for position, (name, mark, is_seen) in enumerate(known):
        is_last_known = all(later is None for _, later, _ in known[position + 1 :])
        if mark is None and not is_last_known:
            # Not reported: the next step that has an end includes it.
            continue
        end = finish if mark is None else mark
        if end is not None:
            end = max(begin, end if finish is None else min(end, finish))
        yield StartStep(name, begin, end, is_seen)
        if mark is None or end is None:
            return
        begin = end


def find_medians(starts: Sequence[Sequence[StartStep]]) -> dict[str, float]:
    """Of the seconds of each step, over starts that have ended."""
    seconds: dict[str, list[float]] = {}
    for steps in starts:
        for step in steps:
            if step.end is not None:
                seconds.setdefault(step.name, []).append(step.seconds(step.end))
    return {name: round(quantile(sorted(seconds[name]), 0.5), 3) for name in STEP_NAMES if name in seconds}
