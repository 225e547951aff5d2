"""Whether a node that is Offline counts as lost. Pure."""

import math
from datetime import datetime
from typing import NamedTuple

from anka_crds.api.node import AnkaNode
from anka_operator.nodes.desired import offline_since


class NodeLoss(NamedTuple):
    """`wait`: seconds until the node counts as lost; 0 if it does, infinite while it is not Offline. `silence`: seconds
    that it has been Offline; None if it is not, or does not exist."""

    wait: float
    silence: float | None


def assess_loss(node: AnkaNode | None, *, lost_seconds: float, now: datetime) -> NodeLoss:
    """A node that does not exist (None) is lost. `lost_seconds`: how long a node may be Offline before it is."""
    if node is None:
        return NodeLoss(0.0, None)
    since = offline_since(node)
    if since is None:
        return NodeLoss(math.inf, None)
    silence = (now - since).total_seconds()
    return NodeLoss(max(0.0, lost_seconds - silence), silence)
