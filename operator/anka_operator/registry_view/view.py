"""The registry as last read. It is read again for everyone who needs to know what it holds from now on."""

import asyncio
import itertools
import logging
from collections.abc import Callable, Iterable

from anka_crds.api import AnkaTemplate
from anka_crds.api.defaults import REGISTRY_SECONDS
from anka_kube.store import Store
from anka_operator import metrics
from anka_operator.registry_view.desired import GONE, KnownTemplate, build_unmirrored, to_known, with_fields
from anka_operator.registry_view.names import index_names
from anka_operator.registry_view.sweep import choose_due
from anka_registry.client import RegistryClient
from anka_registry.errors import RegistryError, RegistryRefused, RegistryUnauthorized, RegistryUnreachable
from anka_registry.models import RegistryListItem, RegistryTemplate
from anka_registry.shared_read import SharedRead
from anka_runtime.background import Background

log = logging.getLogger(__name__)

NO_REGISTRY = "the operator was started without --registry-url"
DETAILS_IN_FLIGHT = 4
CONFIRM_SECONDS = 2.0
PROBE_SECONDS = 0.25
"""The same while the registry did not answer the last time: it can be asked, but nobody should wait for it."""
LIST_PAUSE_SECONDS = 0.1
TEMPLATE_PAUSE_SECONDS = 0.02

Listener = Callable[[str | None], None]
"""Called with the id of a template that has changed; with None when the registry begins or ceases to answer."""


class RegistryView(Background):
    """While the registry is down, what is known of it stays: Macs can start the templates that they hold.

    `error`: why the registry does not answer; None if it does. `is_refused`: that is for want of a credential or of a
    right. Without `registry`, the AnkaTemplates are all there is.
    """

    def __init__(
        self,
        objects: Store[AnkaTemplate],
        registry: RegistryClient | None,
        *,
        list_seconds: float = REGISTRY_SECONDS,
    ) -> None:
        self.error: str | None = NO_REGISTRY if registry is None else "it was not asked yet"
        self.is_refused = False
        self._objects = objects
        self._registry = registry
        self._moments = itertools.count(1)
        self._list_seconds = list_seconds
        self._list: SharedRead[None] = SharedRead(self._read_list, pause_seconds=LIST_PAUSE_SECONDS)
        self._reads: dict[str, SharedRead[None]] = {}
        self._rows: dict[str, RegistryListItem] = {}
        self._templates: dict[str, RegistryTemplate] = {}
        self._known: dict[str, KnownTemplate] = {}
        self._read_at: dict[str, int] = {}
        """The moment at which the last read of each template began that told what it is."""
        self._tried_at: dict[str, int] = {}
        """The same, whatever came of it: those that cannot be read must not take the turns of all others."""
        self._due: set[str] = set()
        """Templates whose row in the list has changed since they were read."""
        self._was_listed = False
        self._unreadable: dict[str, str] = {}
        self._listeners: list[Listener] = []
        self._names: dict[str, set[str]] | None = None
        self.follow(objects, self._forget_names)

    @property
    def task_name(self) -> str:
        return "registry view"

    async def run(self) -> None:
        while self._registry is not None:
            try:
                await self.poll()
            except Exception:  # a bug must be visible, but must not end the reading
                log.exception("the registry was not read; it goes on")
            await asyncio.sleep(self._list_seconds)

    async def __aexit__(self, *details: object) -> None:
        await super().__aexit__(*details)
        for read in (self._list, *self._reads.values()):
            read.cancel()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Returns a function that ends this."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    # --- what is known ---

    @property
    def has_registry(self) -> bool:
        return self._registry is not None

    @property
    def ids(self) -> Iterable[str]:
        """Of all templates in the registry."""
        return self._templates

    def find(self, uuid: str) -> KnownTemplate | None:
        return self._known.get(uuid)

    def is_gone(self, uuid: str) -> bool:
        """Whether the registry has answered that it does not have this template."""
        return self._was_listed and uuid not in self._templates and uuid not in self._rows

    def templates(self) -> list[AnkaTemplate]:
        """All templates with all their versions: the objects as the registry is known, and what has no object yet."""
        found = []
        for obj in self._objects:
            known = self._known.get(obj.metadata.name)
            if known is not None:
                found.append(with_fields(obj, known.fields))
            else:
                found.append(with_fields(obj, GONE) if self.is_gone(obj.metadata.name) else obj)
        new = (uuid for uuid in self._known if self._objects.get(uuid) is None)
        return [*found, *(build_unmirrored(uuid, self._known[uuid].fields) for uuid in new)]

    def select_facts(self, obj: AnkaTemplate) -> object:
        """What of this object counts for what `templates` has of it. Its status changes with every Mac that pulls the
        template: most changes of an object change nothing here."""
        status = None if obj.metadata.name in self._known else (obj.status.name, obj.status.arch, obj.status.versions)
        return obj.spec, obj.metadata.deletion_timestamp, status

    def take_moment(self) -> int:
        """For `was_read_since`. Later moments are greater."""
        return next(self._moments)

    def was_read_since(self, uuid: str, moment: int) -> bool:
        """Whether a read that began after `moment` has told what this template is."""
        return self._read_at.get(uuid, 0) > moment

    # --- reading ---

    def ask(self, uuid: str) -> asyncio.Future[None]:
        """Done when this template was read after the call. Raises RegistryError. It must not be cancelled."""
        read = self._reads.get(uuid)
        if read is None:
            read = self._reads[uuid] = SharedRead(
                lambda: self._read_template(uuid), pause_seconds=TEMPLATE_PAUSE_SECONDS
            )
        return read.ask()

    async def confirm(self, word: str) -> bool:
        """Wait until the template with this id or name was read after the call. False if the registry does not answer
        in time: then what was known before counts."""
        if self._registry is None:
            return True
        try:
            async with asyncio.timeout(CONFIRM_SECONDS if self.error is None else PROBE_SECONDS):
                await self._confirm(word)
        except (RegistryError, TimeoutError):
            metrics.REGISTRY_UNCONFIRMED.inc()
            return False
        except Exception:  # a bug must not keep instances waiting
            log.exception("the registry was not read for %s", word)
            return False
        return True

    async def _confirm(self, word: str) -> None:
        asked = self.lookup(word)
        await self._read_all(asked)
        if any(uuid in self._templates for uuid in self.lookup(word)):
            return
        # It left the registry, or another template has its name now.
        await asyncio.shield(self._list.ask())
        await self._read_all(self.lookup(word) - asked)

    async def _read_all(self, ids: set[str]) -> None:
        await asyncio.gather(*(asyncio.shield(self.ask(uuid)) for uuid in ids))

    async def poll(self) -> None:
        """Read the list, the templates whose row has changed, and those that were not read for the longest time."""
        try:
            await asyncio.shield(self._list.ask())
        except RegistryError:
            return
        gate = asyncio.Semaphore(DETAILS_IN_FLIGHT)

        async def read(uuid: str) -> None:
            async with gate:
                try:
                    await asyncio.shield(self.ask(uuid))
                except RegistryError:
                    return  # it stays as it is known

        due = choose_due(self._rows, self._tried_at, self._templates, self._due, list_seconds=self._list_seconds)
        await asyncio.gather(*(read(uuid) for uuid in due))

    async def _read_list(self) -> None:
        began = self.take_moment()
        try:
            rows = {row.id: row for row in await self._client.templates()}
        except RegistryError as error:
            self._note_failure(error)
            raise
        self._due |= {uuid for uuid, row in rows.items() if self._rows.get(uuid) != row}
        # A read that began later knows better.
        gone = {uuid for uuid in {*self._rows, *self._templates} - rows.keys() if not self.was_read_since(uuid, began)}
        self._rows, self._was_listed, self._names = rows, True, None
        for uuid in gone:
            for known in (self._templates, self._known, self._unreadable, self._tried_at):
                known.pop(uuid, None)
        self._reads = {uuid: read for uuid, read in self._reads.items() if uuid in rows or not read.is_idle}
        for uuid in sorted(gone):
            self._tell(uuid)
        self._note_answer()

    async def _read_template(self, uuid: str) -> None:
        began = self._tried_at[uuid] = self.take_moment()
        self._due.discard(uuid)
        try:
            template = await self._load(uuid)
        except RegistryError as error:
            if _is_about_all(error):
                self._due.add(uuid)
                self._note_failure(error)
            else:
                self._note_unreadable(uuid, error)
            raise
        self._read_at[uuid] = began
        self._names = None
        self._unreadable.pop(uuid, None)
        if template is not None and self._templates.get(uuid) != template:
            self._templates[uuid] = template
            self._known[uuid] = to_known(template)
            self._tell(uuid)

    async def _load(self, uuid: str) -> RegistryTemplate | None:
        """None if the registry does not have it."""
        try:
            return await self._client.template(uuid)
        except RegistryRefused:
            # Deleted, or the registry is in trouble: its list decides.
            await asyncio.shield(self._list.ask())
        return await self._client.template(uuid) if uuid in self._rows else None

    @property
    def _client(self) -> RegistryClient:
        if self._registry is None:
            raise RegistryError(NO_REGISTRY)
        return self._registry

    # --- names ---

    def lookup(self, word: str) -> set[str]:
        """Ids of all templates that this word may mean."""
        if self._names is None:
            self._names = index_names(self._objects, self._rows, self._templates, self._due)
        return self._names.get(word, set()) | self._names.get(word.lower(), set())

    def _forget_names(self, *_: object) -> None:
        self._names = None

    # --- telling ---

    def _tell(self, uuid: str | None) -> None:
        self._names = None
        for listener in tuple(self._listeners):
            listener(uuid)

    def _note_answer(self) -> None:
        metrics.REGISTRY_UP.set(1)
        if self.error is not None:
            log.info("the registry answers", extra={"registry": self._client.url, "templates": len(self._rows)})
            self.error, self.is_refused = None, False
            self._tell(None)

    def _note_failure(self, error: RegistryError) -> None:
        metrics.REGISTRY_UP.set(0)
        metrics.REGISTRY_FAILURES.inc()
        if self.error != str(error):
            log.warning("%s; templates stay as they are", error)
            self.error, self.is_refused = str(error), isinstance(error, RegistryUnauthorized)
            self._tell(None)

    def _note_unreadable(self, uuid: str, error: RegistryError) -> None:
        metrics.REGISTRY_FAILURES.inc()
        if self._unreadable.get(uuid) != str(error):
            self._unreadable[uuid] = str(error)
            log.warning("%s; the template stays as it is", error, extra={"template": uuid})


def _is_about_all(error: RegistryError) -> bool:
    """Whether it is no matter of the one template that was asked for."""
    return isinstance(error, RegistryUnreachable) or (isinstance(error, RegistryUnauthorized) and error.code == 401)
