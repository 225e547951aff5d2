"""What TemplateDistributions and the rules of AnkaTemplates ask of this Mac, as jobs."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from anka_crds.api.distribution import TemplateDistribution
from anka_crds.api.limits import MAX_TEMPLATE_TASKS, TASK_NAME_BYTES
from anka_crds.api.node import AnkaNode, RequiredTemplate
from anka_crds.rules.assignment import find_unfinished
from anka_crds.rules.text import shorten_bytes


@dataclass(frozen=True, slots=True)
class TemplateJob:
    """One template, or one tag of it, to be pulled or removed. Objects of the same name differ by uid, which a
    rule has not, and two selections of this Mac by round."""

    name: str
    uid: str
    action: Literal["Pull", "Remove"]
    template: str
    tag: str | None = None
    registry: str | None = None
    round: int | None = None
    content_id: str | None = None
    """What the registry has under the tag; None: whatever the Mac holds of that name will do."""

    @property
    def is_rule(self) -> bool:
        return not self.uid


HasContent = Callable[[str, str | None, str | None], bool]


def list_jobs(
    distributions: Iterable[TemplateDistribution], node: AnkaNode, has_content: HasContent
) -> list[TemplateJob]:
    """Oldest first, then what rules keep on this Mac and it does not have. A distribution whose status shows this Mac
    as done is no longer a job."""
    wanted = sorted(distributions, key=lambda one: (str(one.metadata.creation_timestamp or ""), one.metadata.name))
    found = [job for one in wanted if (job := _to_job(one, node.metadata.name)) is not None]
    found += [
        TemplateJob(
            _name_rule(kept),
            "",
            "Pull",
            kept.template,
            kept.tag,
            kept.registry,
            content_id=kept.content_id,
        )
        for kept in node.status.kept_templates
        if not has_content(kept.template, kept.tag, kept.content_id)
    ]
    return found[:MAX_TEMPLATE_TASKS]


def _name_rule(kept: RequiredTemplate) -> str:
    return shorten_bytes(f"keep:{kept.template}:{kept.tag}", TASK_NAME_BYTES)


def explain_refusal(job: TemplateJob, kept: Iterable[RequiredTemplate]) -> str | None:
    """Why a removal is refused: what a rule keeps would only be pulled again."""
    if job.action == "Pull":
        return None
    for one in kept:
        if one.template == job.template and job.tag in (None, one.tag):
            return f"spec.distribution of AnkaTemplate {one.template} keeps tag {one.tag} here: change that first"
    return None


def _to_job(one: TemplateDistribution, node: str) -> TemplateJob | None:
    """None if it asks nothing of this Mac, or no more."""
    template, entry = one.status.template, find_unfinished(one, node)
    if template is None or entry is None:
        return None
    name, uid, registry = one.metadata.name, one.metadata.uid, one.status.registry
    return TemplateJob(
        name, uid, one.spec.action, template.id, template.tag, registry, entry.round, template.content_id
    )
