"""Which templates go so that a pull fits on the disk: the least recently used of those that nobody needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from anka_agent.plan.distribution import Job
from anka_crds.api.instance import AnkaInstance
from anka_crds.api.node import KeptTemplate
from anka_crds.api.save_image import SaveImage

NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Held:
    """One tag of a template on this Mac. `size` in bytes; `used` is None when nothing is known of its last use."""

    template: str
    tag: str | None
    name: str
    size: int
    used: datetime | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """Who needs a template; without `tag`, all of its tags."""

    template: str
    tag: str | None
    by: str

    def covers(self, held: Held) -> bool:
        return self.template == held.template and (self.tag is None or held.tag is None or self.tag == held.tag)


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes: what a pull downloads, what is free for it, and what is to be free after it."""

    needed: int
    free: int
    reserve: int

    @property
    def missing(self) -> int:
        """What must be removed first; 0 when the pull fits."""
        return max(0, self.needed + self.reserve - self.free)


def needs(
    instances: Iterable[AnkaInstance], saves: Iterable[SaveImage], kept: Iterable[KeptTemplate], jobs: Iterable[Job]
) -> list[Need]:
    """What must stay. An instance needs its template until it is gone: its VM shares the template's files, and one that
    is still to be made is made from it. The target of a save that is pending is pushed on top of it."""
    found = []
    for instance in instances:
        resolved = instance.status.template
        template = instance.spec.template if resolved is None else resolved.id
        tag = instance.spec.tag if resolved is None else resolved.tag
        found.append(Need(template, tag, f"instance {instance.metadata.namespace}/{instance.metadata.name}"))
    found += [
        Need(save.spec.target_template, None, f"SaveImage {save.metadata.namespace}/{save.metadata.name}")
        for save in saves
        if save.spec.target_template is not None and save.status.phase == "Pending"
    ]
    found += [Need(one.template, one.tag, "a rule of its AnkaTemplate") for one in kept]
    found += [Need(job.template, job.tag, f"TemplateDistribution {job.name}") for job in jobs if job.action == "Pull"]
    return found


def needed(held: Held, wanted: Iterable[Need]) -> Need | None:
    """Who needs it, if anybody does."""
    return next((need for need in wanted if need.covers(held)), None)


def evictions(
    held: Iterable[Held], space: Space, spared: Callable[[Held], bool] = lambda one: False
) -> Sequence[Held] | None:
    """What to remove, in this order, so that the pull fits: none when it fits already, None when it can't. What is
    `spared` stays."""
    missing, chosen = space.missing, []
    for one in sorted(held, key=lambda one: (one.used or NEVER, one.name, one.template, one.tag or "")):
        if missing <= 0:
            break
        if not spared(one):
            chosen.append(one)
            missing -= one.size
    return chosen if missing <= 0 else None


def refusal(space: Space) -> str:
    """Why a pull is not begun."""
    return (
        f"the template needs {gigabytes(space.needed)}, {gigabytes(space.free)} are free and "
        f"{gigabytes(space.reserve)} are kept in reserve; nothing more can be removed"
    )


def gigabytes(size: int) -> str:
    """`60 GB`, in powers of ten as macOS counts; smaller sizes in a smaller unit."""
    for unit, scale in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= scale:
            return f"{round(size / scale, 1):g} {unit}"
    return f"{size} bytes"
