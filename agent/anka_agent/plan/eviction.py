"""Which templates are removed so that a pull fits on the disk: the least recently used of those that are not needed."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from anka_agent.plan.distribution import TemplateJob
from anka_agent.plan.naming import source_of
from anka_crds.api.instance import AnkaInstance
from anka_crds.api.node import RequiredTemplate
from anka_crds.api.save_image import SaveImage

NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class LocalTag:
    """One tag of a template on this Mac. `size` in bytes; `last_use` is None if unknown."""

    template: str
    tag: str | None
    name: str
    size: int
    last_use: datetime | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """A use of a template; without `tag`, of all of its tags. `by`: what needs it, for messages."""

    template: str
    tag: str | None
    by: str

    def covers(self, held: LocalTag) -> bool:
        return self.template == held.template and (self.tag is None or held.tag is None or self.tag == held.tag)


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes that a pull downloads, that are free for it, and that must be free after it."""

    needed: int
    free: int
    reserve: int

    @property
    def missing(self) -> int:
        """Bytes that must be removed first; 0 when the pull fits."""
        return max(0, self.needed + self.reserve - self.free)


def list_needs(
    instances: Iterable[AnkaInstance],
    saves: Iterable[SaveImage],
    kept: Iterable[RequiredTemplate],
    jobs: Iterable[TemplateJob],
) -> list[Need]:
    """What must stay. An instance needs its template until it is deleted: its VM shares the template's files, or is
    still to be made from it. A pending save is pushed on top of its target template."""
    found = []
    for instance in instances:
        source, name = source_of(instance), f"{instance.metadata.namespace}/{instance.metadata.name}"
        found.append(Need(source.template, source.tag, f"instance {name}"))
    found += [
        Need(save.target, None, f"SaveImage {save.metadata.namespace}/{save.metadata.name}")
        for save in saves
        if save.target is not None and save.status.phase == "Pending"
    ]
    found += [Need(one.template, one.tag, "a rule of its AnkaTemplate") for one in kept]
    found += [Need(job.template, job.tag, f"TemplateDistribution {job.name}") for job in jobs if job.action == "Pull"]
    return found


def find_need(held: LocalTag, wanted: Iterable[Need]) -> Need | None:
    """The first need that covers it."""
    return next((need for need in wanted if need.covers(held)), None)


def choose_evictions(
    held: Iterable[LocalTag], space: Space, is_spared: Callable[[LocalTag], bool] = lambda one: False
) -> Sequence[LocalTag] | None:
    """What to remove, in this order, so that the pull fits: nothing if it already fits, None if it cannot. What
    `is_spared` stays. Of those that were used least recently, what the others make unnecessary stays, too, the most
    recently used first: three small tags are not removed beside the large one that was needed anyway."""
    missing, chosen = space.missing, list[LocalTag]()
    for one in sorted(held, key=lambda one: (one.last_use or NEVER, one.name, one.template, one.tag or "")):
        if missing <= 0:
            break
        if not is_spared(one):
            chosen.append(one)
            missing -= one.size
    if missing > 0:
        return None
    for one in reversed(tuple(chosen)):
        if one.size <= -missing:
            chosen.remove(one)
            missing += one.size
    return chosen


def describe_refusal(space: Space) -> str:
    """Why a pull does not begin."""
    return (
        f"the template needs {format_bytes(space.needed)}, {format_bytes(space.free)} are free and "
        f"{format_bytes(space.reserve)} are kept in reserve; nothing more can be removed"
    )


def format_bytes(size: int) -> str:
    """`60 GB`, in powers of ten as macOS counts; smaller sizes in a smaller unit."""
    for unit, scale in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= scale:
            return f"{round(size / scale, 1):g} {unit}"
    return f"{size} bytes"
