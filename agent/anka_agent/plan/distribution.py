"""What TemplateDistributions and rules of templates want of this Mac, as jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from anka_crds.api.distribution import TemplateDistribution
from anka_crds.api.node import AnkaNode, KeptTemplate

MAX_JOBS = 64
"""maxItems of AnkaNode.status.distributions: what is more waits."""


@dataclass(frozen=True, slots=True)
class Job:
    """One template, or one tag of it, to be pulled or removed. Two objects of the same name differ by uid; a rule has
    none."""

    name: str
    uid: str
    action: Literal["Pull", "Remove"]
    template: str
    tag: str | None = None
    registry: str | None = None

    @property
    def is_rule(self) -> bool:
        return not self.uid


Holds = Callable[[str, str | None], bool]


def jobs(distributions: Iterable[TemplateDistribution], node: AnkaNode, holds: Holds) -> list[Job]:
    """The oldest first; then what rules want and the Mac does not hold. One that is finished here, and told so in the
    object, is no job any more."""
    wanted = [one for one in distributions if _concerns(one, node.metadata.name)]
    wanted.sort(key=lambda one: (str(one.metadata.creation_timestamp or ""), one.metadata.name))
    found = [job for job in map(_job, wanted) if job is not None]
    found += [
        Job(f"keep:{kept.template}:{kept.tag}", "", "Pull", kept.template, kept.tag, kept.registry)
        for kept in node.status.kept_templates
        if not holds(kept.template, kept.tag)
    ]
    return found[:MAX_JOBS]


def refusal(job: Job, kept: Iterable[KeptTemplate]) -> str | None:
    """Why a removal is not done: what a rule keeps would only be pulled again."""
    if job.action == "Pull":
        return None
    for one in kept:
        if one.template == job.template and job.tag in (None, one.tag):
            return f"spec.distribution of AnkaTemplate {one.template} keeps tag {one.tag} here: change that first"
    return None


def _concerns(one: TemplateDistribution, node: str) -> bool:
    if one.spec.cancelled or one.metadata.deletion_timestamp is not None or one.status.phase != "Running":
        return False
    return any(entry.node_name == node and not entry.done for entry in one.status.nodes)


def _job(one: TemplateDistribution) -> Job | None:
    template = one.status.template
    if template is None:
        return None
    return Job(one.metadata.name, one.metadata.uid, one.spec.action, template.id, template.tag, one.status.registry)
