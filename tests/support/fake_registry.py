"""A registry in memory, behind the client that operator and shim use."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from anka_registry.client import RegistryClient
from anka_registry.errors import RegistryRefused, RegistryUnauthorized, RegistryUnreachable
from anka_registry.models import RegistryListItem, RegistryTemplate


class FakeRegistry(RegistryClient):
    """`held`: name and tags of each template. Its list shows no difference between versions."""

    def __init__(self) -> None:
        super().__init__("http://registry:8089")
        self.held: dict[str, tuple[str, Sequence[str]]] = {}
        self.down = False
        self.unauthorized = False
        self.confused: set[str] = set()
        """Templates that are in the list and are refused."""
        self.gate: asyncio.Event | None = None
        """Reads of templates that have begun wait for it, with what they have read."""
        self.list_gate: asyncio.Event | None = None
        """The same for lists."""
        self.begun = asyncio.Event()
        """Set by every read of a template."""
        self.lists = 0
        self.reads: list[str] = []

    async def templates(self) -> list[RegistryListItem]:
        self.lists += 1
        self._answer()
        rows = [RegistryListItem(id=uuid, name=name) for uuid, (name, _) in self.held.items()]
        if self.list_gate is not None:
            await self.list_gate.wait()
        return rows

    async def template(self, uuid: str) -> RegistryTemplate:
        self.reads.append(uuid)
        self.begun.set()
        self._answer()
        found = self.held.get(uuid)
        if self.gate is not None:
            await self.gate.wait()
        if found is None or uuid in self.confused:
            raise RegistryRefused(f"template {uuid}", f"{uuid}: not found")
        name, tags = found
        versions = [{"number": number, "tag": tag} for number, tag in enumerate(tags)]
        return RegistryTemplate.model_validate({"id": uuid, "name": name, "versions": versions})

    def _answer(self) -> None:
        if self.down:
            raise RegistryUnreachable("registry http://registry:8089 does not answer: refused")
        if self.unauthorized:
            raise RegistryUnauthorized("registry http://registry:8089: it does not accept root token", 401)
