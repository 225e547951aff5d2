"""The requests to save instances of this node, by instance."""

from __future__ import annotations

from collections.abc import Sequence

from anka_crds.api import AnkaInstance, SaveImage
from anka_crds.kube.kinds import SAVES
from anka_crds.kube.store import Store

INSTANCE = "instance"


def saves_store() -> Store[SaveImage]:
    return Store(SAVES, {INSTANCE: lambda save: [f"{save.metadata.namespace}/{save.spec.instance}"]})


def saves_of(store: Store[SaveImage], instance: AnkaInstance) -> Sequence[SaveImage]:
    return store.by_index(INSTANCE, f"{instance.metadata.namespace}/{instance.metadata.name}")
