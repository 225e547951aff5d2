"""The caches that all reads are answered from, and the watches that keep them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any, Self

from anka_crds.api import AnkaInstance, AnkaNode, AnkaTemplate, NodeGroup, SaveImage
from anka_crds.kube.client import KubeClient
from anka_crds.kube.kinds import GROUPS, INSTANCES, NODES, SAVES, TEMPLATES
from anka_crds.kube.reflector import Reflector
from anka_crds.kube.store import Store
from anka_crds.process.clock import Clock, SystemClock
from anka_shim.cloud.corrections import Corrections
from anka_shim.translate import image
from anka_shim.translate.instance import id_of

BY_ID = "id"
BY_NODE = "node"
BY_NAME = "name"
BY_INSTANCE = "instance"


class Stores:
    """One store for each kind, with the indexes that requests need. Also the catalogue that requests are read with."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.instances: Store[AnkaInstance] = Store(
            INSTANCES,
            {
                BY_ID: lambda obj: (id_of(obj),),
                BY_NODE: lambda obj: (obj.status.node_name,) if obj.status.node_name else (),
            },
        )
        self.nodes: Store[AnkaNode] = Store(NODES)
        self.templates: Store[AnkaTemplate] = Store(
            TEMPLATES, {BY_NAME: lambda obj: {name for name in (obj.status.name, obj.spec.display_name) if name}}
        )
        self.groups: Store[NodeGroup] = Store(
            GROUPS, {BY_NAME: lambda obj: (obj.spec.display_name,) if obj.spec.display_name else ()}
        )
        self.saves: Store[SaveImage] = Store(
            SAVES,
            {
                BY_ID: lambda obj: (image.id_of(obj),),
                BY_INSTANCE: lambda obj: (f"{obj.metadata.namespace}/{obj.spec.instance}",),
            },
        )

        self.corrections = Corrections(self.templates, clock or SystemClock())

    def instance(self, id_: str) -> AnkaInstance | None:
        found = self.instances.by_index(BY_ID, id_)
        return found[-1] if found else None

    def instances_on(self, node: str) -> Sequence[AnkaInstance]:
        return self.instances.by_index(BY_NODE, node)

    def template(self, id_: str) -> AnkaTemplate | None:
        found = self.templates.get(id_)
        return None if found is None else self.corrections.of(found)

    def all_templates(self) -> Sequence[AnkaTemplate]:
        return self._corrected(self.templates)

    def templates_called(self, name: str) -> Sequence[AnkaTemplate]:
        return self._corrected(self.templates.by_index(BY_NAME, name))

    def _corrected(self, templates: Iterable[AnkaTemplate]) -> Sequence[AnkaTemplate]:
        return [shown for shown in map(self.corrections.of, templates) if shown is not None]

    def node(self, id_: str) -> AnkaNode | None:
        return self.nodes.get(id_)

    def group(self, id_: str) -> NodeGroup | None:
        return self.groups.get(id_)

    def groups_called(self, name: str) -> Sequence[NodeGroup]:
        return self.groups.by_index(BY_NAME, name)

    def save(self, id_: str) -> SaveImage | None:
        found = self.saves.by_index(BY_ID, id_)
        return found[-1] if found else None

    def all_saves(self) -> Sequence[SaveImage]:
        """Oldest first."""
        return sorted(self.saves, key=lambda save: (str(save.metadata.creation_timestamp), save.metadata.name))

    def pending_saves_of(self, instance: AnkaInstance) -> Sequence[SaveImage]:
        key = f"{instance.metadata.namespace}/{instance.metadata.name}"
        return [save for save in self.saves.by_index(BY_INSTANCE, key) if save.status.phase == "Pending"]


class Watches:
    """The watches that keep `stores` up to date; use as an async context manager.

    The others begin once the first has read its list: an API that can't be reached is then told once, not five times.
    """

    def __init__(self, client: KubeClient, stores: Stores) -> None:
        self._first: Reflector[Any] = Reflector(client, stores.instances)
        self._others: tuple[Reflector[Any], ...] = (
            Reflector(client, stores.nodes),
            Reflector(client, stores.templates),
            Reflector(client, stores.groups),
            Reflector(client, stores.saves),
        )
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._first.run()), asyncio.create_task(self._run_others())]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run_others(self) -> None:
        await self._first.synced.wait()
        await asyncio.gather(*(reflector.run() for reflector in self._others))

    def unsynced(self) -> str | None:
        """None once everything has been read once, else what is missing, in one line."""
        reflectors = (self._first, *self._others)
        missing = [reflector.resource.plural for reflector in reflectors if not reflector.synced.is_set()]
        return f"not read from the Kubernetes API yet: {', '.join(missing)}" if missing else None
