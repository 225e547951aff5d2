"""The central logs of this process: collected from its start, sent once it knows its name."""

import asyncio
import copy
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from anka_registry.access import ANYBODY, RegistryAccess
from anka_registry.central_logs.buffer import LineBuffer
from anka_registry.central_logs.secret_filter import SecretFilter, cover_shapes
from anka_registry.central_logs.shipper import Shipper
from anka_registry.client import RegistryClient
from anka_runtime import logs
from anka_runtime.background import child_tasks

ServiceOf = Callable[[logging.LogRecord], str | None]
"""The service that has a record in addition, such as that of an instance; None for no other."""

PLAIN = ("ts", "level", "logger", "instance", "instance_id", "uid", "node")
"""Fields that hold no text of others: names and times, which must stay readable."""
OURS = "anka_"
"""Beginning of the names of our own loggers. Their messages are constant texts, and what others said is in the
arguments (tests/unit/house/test_logs.py): so the messages stay as they are, whatever a script contains."""


class Collector(logging.Handler):
    """A handler of the root logger: all lines are those of `service`. `wanted`: whether lines are being collected.

    For a process that is given no secrets: what looks like one is hidden all the same.
    """

    def __init__(
        self, buffer: LineBuffer, wanted: Callable[[], bool], service: str, also: ServiceOf = lambda _: None
    ) -> None:
        super().__init__()
        self._service = service
        self._also = also
        self._buffer = buffer
        self._wanted = wanted
        # JSON whatever the format of the process's own log: a traceback is one line, and ids are fields.
        logs.dress(self)

    def emit(self, record: logging.LogRecord) -> None:
        if not self._wanted():
            return
        try:
            line = self._dress(record)
        except Exception:
            self.handleError(record)
            return
        self._buffer.add(self._service, line)
        if (other := self._also(record)) is not None:
            self._buffer.add(other, line)

    def _dress(self, record: logging.LogRecord) -> str:
        return cover_shapes(self.format(record))


class SecretCollector(Collector):
    """For a process that knows secrets, `hidden`, and logs what others say, who may repeat them."""

    def __init__(
        self,
        hidden: SecretFilter,
        buffer: LineBuffer,
        wanted: Callable[[], bool],
        service: str,
        also: ServiceOf = lambda _: None,
    ) -> None:
        super().__init__(buffer, wanted, service, also)
        self._hidden = hidden

    def _dress(self, record: logging.LogRecord) -> str:
        """As JSON, with its secrets covered: never the fields themselves, nor our own words."""
        plain = {*PLAIN}
        if record.name.startswith(OURS) and isinstance(record.args, tuple | None):
            plain.add("message")
            record = copy.copy(record)
            record.args = tuple(map(self._cover_argument, record.args or ()))
        fields: dict[str, Any] = json.loads(self.format(record))
        for name in fields.keys() - plain:
            fields[name] = self._cover(fields[name])
        return json.dumps(fields, ensure_ascii=False)

    def _cover_argument(self, value: object) -> object:
        return value if isinstance(value, int | float | None) else _CoveredText(value, self._hidden)

    def _cover(self, value: Any) -> Any:
        """Of a value of JSON."""
        if isinstance(value, str):
            return self._hidden.cover(value)
        if isinstance(value, list):
            return [self._cover(one) for one in value]
        return {key: self._cover(one) for key, one in value.items()} if isinstance(value, dict) else value


class _CoveredText:
    """An argument of a message, however it is printed."""

    def __init__(self, value: object, hidden: SecretFilter) -> None:
        self._value = value
        self._hidden = hidden

    def __str__(self) -> str:
        return self._hidden.cover(str(self._value))

    def __repr__(self) -> str:
        return self._hidden.cover(repr(self._value))


class LogForwarding:
    """`registry` None: nothing is collected. `enabled`: whether lines are collected before `ship` says so.
    `secrets`: those that this process knows. `also`: as for Collector."""

    def __init__(
        self,
        registry: str | None,
        service: str,
        *,
        access: RegistryAccess = ANYBODY,
        enabled: bool = True,
        secrets: SecretFilter | None = None,
        also: ServiceOf = lambda _: None,
    ) -> None:
        self._secrets = secrets
        self._is_enabled: Callable[[], bool] = lambda: enabled
        self._registry = registry
        self._access = access
        self._service = service
        self._also = also
        self._buffer = LineBuffer()

    @contextmanager
    def collect(self) -> Iterator[None]:
        """All that is logged inside."""
        if self._registry is None:
            yield
            return
        how = self._buffer, lambda: self._is_enabled(), self._service, self._also
        collector = Collector(*how) if self._secrets is None else SecretCollector(self._secrets, *how)
        root = logging.getLogger()
        root.addHandler(collector)
        try:
            yield
        finally:
            root.removeHandler(collector)

    @asynccontextmanager
    async def run(self, machine: str) -> AsyncIterator[None]:
        """Collect and send all that is logged inside, as this machine."""
        with self.collect():
            async with child_tasks(self.ship(machine, machine, lambda: True)):
                yield

    async def ship(self, machine: str, host: str, is_enabled: Callable[[], bool]) -> None:
        """Send the lines as this machine, until cancelled. `is_enabled`: whether to collect and send now."""
        self._is_enabled = is_enabled
        if self._registry is None:
            await asyncio.Event().wait()
            return
        async with RegistryClient(self._registry, access=self._access) as registry:
            await Shipper(registry, self._buffer, machine, host, is_enabled).run()
