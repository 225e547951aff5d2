"""How far one Mac is with a request, by what its agent reports. Pure."""

import math
from datetime import datetime

from anka_crds.api.distribution import NodeProgress, TemplateDistribution
from anka_crds.api.node import AnkaNode
from anka_crds.api.states import NodeState
from anka_operator.nodes.loss import assess_loss

OFFLINE = "The Mac is Offline"


def follow_mac(
    entry: NodeProgress, node: AnkaNode | None, of: TemplateDistribution, lost_seconds: float, now: datetime
) -> tuple[NodeProgress, float]:
    """The current entry, and the seconds until time alone changes it. `lost_seconds`: how long a Mac may be Offline
    before it fails."""
    if entry.done:
        return entry, math.inf
    if node is None:
        message = f"There is no AnkaNode {entry.node_name}"
        return entry.model_copy(update={"done": True, "message": message}), math.inf
    key = of.metadata.uid, entry.round
    report = next((work for work in node.status.distributions if (work.uid, work.round) == key), None)
    if report is not None and report.done:
        percent = 100 if report.message is None else report.progress_percent
        return with_outcome(entry, True, percent, report.message), math.inf
    percent = report.progress_percent if report is not None else entry.progress_percent
    if node.status.state is not NodeState.OFFLINE:
        return with_outcome(entry, False, percent, report.message if report is not None else None), math.inf
    wait = assess_loss(node, lost_seconds=lost_seconds, now=now).wait
    if wait:
        return with_outcome(entry, False, percent, OFFLINE), wait
    return with_outcome(entry, True, percent, f"{OFFLINE}, and was given up"), math.inf


def with_outcome(entry: NodeProgress, done: bool, percent: int, message: str | None) -> NodeProgress:
    """`percent`: 0 to 100. A `message` says why it is not done, or failed."""
    return entry.model_copy(update={"done": done, "progress_percent": percent, "message": message})
