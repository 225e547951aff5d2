"""AnkaNode.status.assigned of one Mac."""

from anka_crds.api.node import AnkaNode, AssignedWork
from anka_operator.status_patch import StatusPatch


def compute_status(node: AnkaNode, *, saves: bool, distributions: bool) -> StatusPatch | None:
    """The patch that corrects it; None if it is correct. It says both, so that no agent has to guess."""
    wanted = AssignedWork(saves=saves, distributions=distributions)
    return None if node.status.assigned == wanted else {"assigned": wanted.to_api()}
