"""The order in which waiting instances are scheduled: priority, age, uid. Pure."""

from datetime import UTC, datetime
from typing import NamedTuple

from anka_crds.api.instance import AnkaInstance
from anka_crds.api.states import Phase

_EPOCH = datetime.fromtimestamp(0, UTC)


class QueuedInstance(NamedTuple):
    """One waiting instance. The order of the fields is the order of scheduling; uid only breaks ties."""

    priority: int
    """1-10000, lower first (docs/reference/legacy-api.md#start-vm)."""
    created: datetime
    uid: str


def to_queued(instance: AnkaInstance) -> QueuedInstance:
    created = instance.metadata.creation_timestamp or _EPOCH
    return QueuedInstance(instance.spec.priority, created, instance.metadata.uid)


def is_pending(instance: AnkaInstance) -> bool:
    """Whether the instance waits for a node."""
    return (
        instance.status.node_name is None
        and instance.status.phase is Phase.SCHEDULING
        and instance.metadata.deletion_timestamp is None
    )
