"""Whether there is a SaveImage or a TemplateDistribution that a Mac's agent has to know. Both are rare, so an agent
watches them only while there is. The operator tells it so (AnkaNode.status.assigned); by the same rule the agent
decides that it has seen the end."""

from collections.abc import Callable, Iterable

from anka_crds.api.distribution import NodeProgress, TemplateDistribution
from anka_crds.api.save_image import SaveImage


def concerns_agent(save: SaveImage, exists: Callable[[str], bool]) -> bool:
    """A save that its node has to know: one that has not ended, and one whose instance is still there, since it decides
    what becomes of that. `exists`: whether there is an instance with this uid."""
    status = save.status
    if status.node_name is None:
        return False
    return status.phase == "Pending" or (status.instance_id is not None and exists(status.instance_id))


def list_unfinished(distribution: TemplateDistribution) -> Iterable[NodeProgress]:
    """The entries of the Macs that still have to do what it asks."""
    if (
        distribution.spec.cancelled
        or distribution.metadata.deletion_timestamp is not None
        or distribution.status.phase != "Running"
    ):
        return ()
    return (entry for entry in distribution.status.nodes if not entry.done)


def find_unfinished(distribution: TemplateDistribution, node: str) -> NodeProgress | None:
    """The entry of this Mac, if it still has to do what it asks."""
    return next((entry for entry in list_unfinished(distribution) if entry.node_name == node), None)
