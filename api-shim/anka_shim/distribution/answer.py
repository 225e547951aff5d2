"""A TemplateDistribution as the old API shows it. Pure."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from anka_crds.api.conditions import ConditionType
from anka_crds.api.distribution import NodeProgress, TemplateDistribution, TemplateDistributionStatus
from anka_crds.api.group import NodeGroup
from anka_crds.api.node import AnkaNode
from anka_crds.rules.condition_list import find
from anka_crds.rules.distribution import is_finished, select_targets
from anka_crds.rules.references import NameCatalog
from anka_crds.rules.resource_permissions import ResourcePermissions
from anka_shim.catalog import Catalog, template_id
from anka_shim.http.answer import Answer, OmissionMarker, Ratio, make_ok
from anka_shim.times import rfc3339


class RequestIdAnswer(Answer):
    request_id: str


class DistributionRequestAnswer(Answer):
    time_requested: str = Field(description="RFC 3339.")
    template_id: str
    request_id: str


class NodeProgressAnswer(Answer):
    progress: Ratio
    status: bool = Field(description="Whether the Mac has it.")
    message: Annotated[str | None, OmissionMarker()] = Field(
        default=None, description="Why the Mac failed, or what it waits for; left out when there is nothing to say."
    )


class DistributionAnswer(Answer):
    request: DistributionRequestAnswer
    distribute_status: dict[str, NodeProgressAnswer] = Field(description="By node_id.")


class RemovalAnswer(Answer):
    requests_sent: int = Field(ge=0)
    node_ids: list[str] = Field(description="Nodes that were asked.")


RequestedOk = make_ok("RequestedOk", RequestIdAnswer)
DistributionOk = make_ok("DistributionOk", DistributionAnswer)
DistributionListOk = make_ok("DistributionListOk", list[DistributionAnswer])
RemovalOk = make_ok("RemovalOk", RemovalAnswer)


def distribution_answer(
    distribution: TemplateDistribution,
    nodes: Iterable[AnkaNode],
    groups: Iterable[NodeGroup] = (),
    ids: Catalog | None = None,
    permissions: ResourcePermissions | None = None,
) -> DistributionAnswer:
    """Until the operator has picked the request up, the Macs that it will apply to: scripts look for theirs
    within 2 s (docs/reference/legacy-api.md#scripts). The same Macs, with the reason, if it ended before it began. Of
    more than the status has room for, those that are no longer listed have finished, and those from `nextNode` on wait.
    """
    status = distribution.status
    entries = status.nodes
    if status.finished or status.next_node or (not entries and status.phase in ("Pending", "Error", "Cancelled")):
        listed = {entry.node_name for entry in entries}
        selected = select_targets(distribution.spec, nodes, NameCatalog(groups), permissions)
        entries = [*entries, *(_unlisted(name, status) for name in selected if name not in listed)]
    template, word = status.template, distribution.spec.template
    return DistributionAnswer.model_construct(
        request=DistributionRequestAnswer.model_construct(
            time_requested=rfc3339(status.requested_at or distribution.metadata.creation_timestamp),
            template_id=template.id if template is not None else word if ids is None else template_id(word, ids),
            request_id=distribution.metadata.name,
        ),
        distribute_status={entry.node_name: _progress(entry) for entry in entries},
    )


def _unlisted(name: str, status: TemplateDistributionStatus) -> NodeProgress:
    """A Mac that has finished and made room for others, that waits, or that was never asked."""
    if status.finished and (status.next_node is None or name < status.next_node):
        return NodeProgress(node_name=name, done=True, progress_percent=100)
    if not is_finished(status):
        return NodeProgress(node_name=name)
    ready = find(status.conditions, ConditionType.READY)
    return NodeProgress(node_name=name, done=True, message=ready.message if ready is not None else status.phase)


def _progress(entry: NodeProgress) -> NodeProgressAnswer:
    """`status` is true when the Mac has it: a failure has a message instead. Progress is from 0 to 1, as a VM's."""
    return NodeProgressAnswer.model_construct(
        progress=entry.progress_percent / 100, status=entry.done and entry.message is None, message=entry.message
    )
