"""The registry itself, where the AnkaTemplates do not say enough: before a client is told that there is no such tag,
and for what objects do not hold."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from anka_crds.api import AnkaTemplate
from anka_crds.api.meta import ObjectMeta
from anka_crds.api.template import AnkaTemplateSpec, AnkaTemplateStatus, TemplateVersion
from anka_registry.client import RegistryClient
from anka_registry.errors import RegistryError, RegistryRefused, RegistryUnreachable
from anka_registry.models import RegistryListItem, RegistryTemplate
from anka_registry.shared_read import SharedRead
from anka_shim.catalog import WITHOUT_VERSIONS, Catalog, FreshCatalog, NotMirrored

T = TypeVar("T")

ANSWER_SECONDS = 3.0
PAUSE_SECONDS = 0.1
"""Between two reads of the same: a flood of wrong names is not one on the registry."""


class RegistryReader:
    """Everyone who asks gets what was read after the question; all who ask meanwhile share the next read."""

    def __init__(self, registry: RegistryClient | None) -> None:
        self._registry = registry
        self._list: SharedRead[dict[str, RegistryListItem]] = SharedRead(self._read_list, pause_seconds=PAUSE_SECONDS)
        self._templates: dict[str, SharedRead[RegistryTemplate | None]] = {}

    def close(self) -> None:
        self._list.cancel()
        for read in self._templates.values():
            read.cancel()

    async def resolve(self, make: Callable[[Catalog], T], catalog: Catalog) -> T:
        """What `make` makes of the catalog. If that lacks something, the registry is asked. Raises Failure."""
        try:
            return make(catalog)
        except NotMirrored as failure:
            try:
                fresh = await self._refresh(catalog, failure.word)
            except RegistryError:
                fresh = None
            if fresh is None:
                raise
        return make(fresh)

    async def template(self, id_: str, *, is_mirrored: bool) -> RegistryTemplate | None:
        """What the registry has of it; None if it does not have it. Raises RegistryError."""
        async with _limit():
            # The list is one for all: made-up ids cost no request each.
            if not is_mirrored and id_ not in await asyncio.shield(self._list.ask()):
                return None
            return await asyncio.shield(self._ask(id_))

    async def _refresh(self, catalog: Catalog, word: str) -> Catalog | None:
        """The catalog with this template as it is now; None if the registry has none, or several of this name."""
        async with _limit():
            rows = await asyncio.shield(self._list.ask())
            named = [row.id for row in rows.values() if row.name == word]
            id_ = next((id_ for id_ in (word, word.lower()) if id_ in rows), named[0] if len(named) == 1 else None)
            known = None if id_ is None else await asyncio.shield(self._ask(id_))
        if known is None:
            return None
        return FreshCatalog(catalog, _to_template(known, catalog.template(known.id)), frozenset(rows))

    def _ask(self, id_: str) -> asyncio.Future[RegistryTemplate | None]:
        read = self._templates.get(id_)
        if read is None:
            self._templates = {known: one for known, one in self._templates.items() if not one.is_idle}
            read = self._templates[id_] = SharedRead(lambda: self._read_template(id_), pause_seconds=PAUSE_SECONDS)
        return read.ask()

    async def _read_list(self) -> dict[str, RegistryListItem]:
        return {row.id: row for row in await self._open().templates()}

    async def _read_template(self, id_: str) -> RegistryTemplate | None:
        try:
            return await self._open().template(id_)
        except RegistryRefused:
            # Deleted, or the registry is in trouble: its list decides.
            if id_ in await asyncio.shield(self._list.ask()):
                raise
            return None

    def _open(self) -> RegistryClient:
        if self._registry is None:
            raise RegistryError("there is no registry")
        return self._registry


@asynccontextmanager
async def _limit() -> AsyncIterator[None]:
    """A registry that is too slow is one that does not answer. Raises RegistryError."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            yield
    except TimeoutError:
        raise RegistryUnreachable(f"the registry does not answer within {ANSWER_SECONDS:g} s") from None


def _to_template(known: RegistryTemplate, mirror: AnkaTemplate | None) -> AnkaTemplate:
    """As far as a request needs it. `mirror`: its object, which alone has what people called it."""
    versions = [
        TemplateVersion.model_construct(number=version.number, tag=version.tag, arch=version.arch)
        for version in known.versions
    ]
    status = AnkaTemplateStatus.model_construct(
        name=known.name, versions=versions, conditions=[] if versions else [WITHOUT_VERSIONS]
    )
    spec = AnkaTemplateSpec(display_name=mirror.spec.display_name if mirror is not None else None)
    return AnkaTemplate(metadata=ObjectMeta(name=known.id), spec=spec, status=status)
