"""Heartbeats as the rows of nodes show them: each row would change every few seconds if all figures were exact."""

from anka_crds.api.node import MacUsage
from anka_shim.node.answer import NodeHeartbeat
from anka_shim.node.heartbeats import NodeHeartbeats

POINTS = 5
"""Percent by which a figure must differ to be shown anew."""
SECONDS = 60.0
"""Longest time until a heartbeat is."""
_DISK_SHARE = 0.01


class ShownHeartbeats:
    """What was last shown of each node."""

    def __init__(self, heartbeats: NodeHeartbeats) -> None:
        self._heartbeats = heartbeats
        self._shown: dict[str, NodeHeartbeat] = {}

    def get(self, node: str) -> NodeHeartbeat | None:
        return self._shown.get(node)

    async def refresh(self, nodes: list[str]) -> list[str]:
        """Names of the nodes whose heartbeat is now shown anew."""
        await self._heartbeats.refresh()
        changed = []
        for node in nodes:
            new = self._heartbeats.get(node)
            if new is not None and is_worth_showing(self._shown.get(node), new):
                self._shown[node] = new
                changed.append(node)
        for gone in self._shown.keys() - set(nodes):
            del self._shown[gone]
        return changed


def is_worth_showing(shown: NodeHeartbeat | None, new: NodeHeartbeat) -> bool:
    """Whether people would see the difference."""
    if shown is None or (shown.at is None) != (new.at is None):
        return True
    if shown.at is not None and new.at is not None and (new.at - shown.at).total_seconds() >= SECONDS:
        return True
    return _differ(shown.usage, new.usage)


def _differ(shown: MacUsage | None, new: MacUsage | None) -> bool:
    if shown is None or new is None:
        return shown is not new
    disk = max(shown.free_disk_bytes, new.free_disk_bytes)
    return (
        abs(shown.cpu_percent - new.cpu_percent) >= POINTS
        or abs(shown.ram_percent - new.ram_percent) >= POINTS
        or abs(shown.free_disk_bytes - new.free_disk_bytes) > _DISK_SHARE * disk
    )
