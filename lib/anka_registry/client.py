"""The registry's HTTP API (port 8089 by default). Answers are `{"status", "message", "body"}`; a logical failure is
HTTP 200 with a status other than OK (FAIL; ERROR before registry 1.37)."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import aiohttp
import orjson
from pydantic import BaseModel, TypeAdapter, ValidationError

from anka_registry.access import ANYBODY, RegistryAccess, check_authorized
from anka_registry.errors import RegistryError, RegistryRefused, RegistryUnreachable
from anka_registry.models import (
    RegistryDisk,
    RegistryListItem,
    RegistryLog,
    RegistryStatus,
    RegistryTemplate,
    RegistryVersion,
)
from anka_runtime.elements import read_elements
from anka_runtime.session import AnswerError, HttpSession

TIMEOUT_SECONDS = 10.0
CONNECT_SECONDS = 3.0
STREAM = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=TIMEOUT_SECONDS)
"""For streamed answers: the reader sets the pace, and a registry that stops sending ends them."""
LIVE = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=None)
"""For a log that is followed: nothing comes while nothing is logged."""

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


class RegistryClient(HttpSession):
    """One registry, as an async context manager. For every external failure, methods raise RegistryError and nothing
    else. They do not retry: callers poll."""

    def __init__(self, url: str, *, timeout_seconds: float = TIMEOUT_SECONDS, access: RegistryAccess = ANYBODY) -> None:
        self.url = url.rstrip("/")
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=min(CONNECT_SECONDS, timeout_seconds))
        self._access = access

    def _open_session(self) -> aiohttp.ClientSession:
        return self._access.open_session(self.url, self._timeout)

    async def status(self) -> RegistryStatus:
        return await self._read("status", RegistryStatus, "/registry/status")

    async def templates(self) -> list[RegistryListItem]:
        """All templates, without their versions."""
        return await self._read_list("list of templates", RegistryListItem, "/registry/v2/vm")

    async def template(self, uuid: str) -> RegistryTemplate:
        """One template with its versions. Raises RegistryRefused if it does not exist."""
        body = await self._read(f"template {uuid}", dict[str, Any], "/registry/v2/vm", {"id": uuid})
        rows = body.get("versions")
        what = "versions in the registry"
        versions = read_elements(
            what, rows if isinstance(rows, list) else [], RegistryVersion.model_validate, subject=uuid
        )
        try:
            return RegistryTemplate.model_validate({**body, "versions": versions})
        except ValidationError as error:
            raise RegistryError(f"registry {self.url}: template {uuid}: {error.errors()[0]['msg']}") from error

    async def info(self, uuid: str, *, tag: str | None = None, version: int | None = None) -> dict[str, Any]:
        """The VM's configuration, as `anka describe` prints it."""
        query = {"id": uuid, **({"tag": tag} if tag else {}), **({} if version is None else {"version": str(version)})}
        return await self._read(f"configuration of template {uuid}", dict[str, Any], "/registry/vm/info", query)

    async def disk(self) -> RegistryDisk:
        return await self._read("disk", RegistryDisk, "/registry/disk")

    async def delete(self, uuid: str) -> None:
        """Delete a template with all its versions."""
        await self._call(f"deletion of template {uuid}", "DELETE", "/registry/vm", {"id": uuid})

    async def revert(self, uuid: str, *, tag: str | None = None, number: int | None = None) -> None:
        """Remove this version and all newer ones; only the newest if neither is given."""
        query = {"id": uuid, **({"tag": tag} if tag else {}), **({} if number is None else {"number": str(number)})}
        await self._call(f"revert of template {uuid}", "DELETE", "/registry/revert", query)

    async def log(self, service: str, machine: str, host: str, content: str) -> None:
        """Add these lines to the central log of a service on a machine. `host`: the machine's address."""
        entry = {"machine_name": machine, "service": service, "host": host, "content": content}
        await self._call("logs", "POST", "/log", data=orjson.dumps(entry))

    async def logs(self) -> list[RegistryLog]:
        """The central logs. Raises RegistryError if the registry stores them but cannot list them."""
        return await self._read_list("list of logs", RegistryLog, "/log")

    @asynccontextmanager
    async def log_content(self, service: str, machine: str, *, last_bytes: int) -> AsyncIterator[AsyncIterator[bytes]]:
        """The last bytes of a log, streamed. Raises RegistryError, also during the reading."""
        query = {"service": service, "machine_name": machine, "last_bytes": str(last_bytes)}
        async with self._stream(f"log of {service} on {machine}", "/log/content", query) as chunks:
            yield chunks

    @asynccontextmanager
    async def log_stream(self, service: str, machine: str, *, last_bytes: int) -> AsyncIterator[AsyncIterator[bytes]]:
        """The last bytes of a log, and what is added to it, for as long as it is read. Raises RegistryError."""
        query = {"service": service, "machine_name": machine, "last_bytes": str(last_bytes)}
        async with self._stream(f"log of {service} on {machine}", "/log/stream", query, LIVE) as chunks:
            yield chunks

    @asynccontextmanager
    async def log_archive(self, service: str, machine: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """All that the registry has kept of a log, as tar.gz. Raises RegistryError."""
        query = {"service": service, "machine_name": machine}
        async with self._stream(f"archive of {service} on {machine}", "/log/archive", query) as chunks:
            yield chunks

    @asynccontextmanager
    async def _stream(
        self, action: str, path: str, query: Mapping[str, str], limits: aiohttp.ClientTimeout = STREAM
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Read no faster than the caller does: a registry waits for a slow reader, and nothing piles up here."""
        try:
            async with self._open().get(
                self.url + path, params=query, timeout=limits, ssl=self._access.ssl()
            ) as response:
                if response.status != 200 or response.content_type == "application/json":
                    self._body(action, await response.read(), response.status)
                    raise RegistryError(f"registry {self.url}: {action}: the answer is not a log")
                yield response.content.iter_any()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._unreachable(error) from error

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("RegistryClient is used outside of its context manager")
        return self._session

    def _unreachable(self, error: Exception) -> RegistryUnreachable:
        if isinstance(error, AnswerError):
            return RegistryUnreachable(f"registry {self.url}: {error}")
        why = "no answer in time" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
        return RegistryUnreachable(f"registry {self.url} does not answer: {' '.join(why.split())}")

    async def _call(
        self, action: str, method: str, path: str, query: Mapping[str, str] | None = None, data: bytes | None = None
    ) -> Any:
        """The body of the envelope."""
        session = self._open()
        try:
            async with session.request(
                method, self.url + path, params=query, data=data, ssl=self._access.ssl()
            ) as response:
                raw = await response.read()
                code = response.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise self._unreachable(error) from error
        return self._body(action, raw, code)

    def _body(self, action: str, raw: bytes, code: int) -> Any:
        try:
            envelope = orjson.loads(raw)
        except orjson.JSONDecodeError:
            envelope = None
        words = str(envelope.get("message") or "") if isinstance(envelope, dict) else ""
        check_authorized(self.url, action, code, " ".join(words.split()), self._access.name)
        if not isinstance(envelope, dict) or "status" not in envelope:
            words = "the answer is not the registry's" if code == 200 else f"HTTP {code}"
            raise RegistryError(f"registry {self.url}: {action}: {words}: is this the URL of an Anka registry?")
        if envelope["status"] != "OK":
            raise RegistryRefused(action, " ".join(str(envelope.get("message") or f"HTTP {code}").split()))
        if code != 200:
            raise RegistryError(f"registry {self.url}: {action}: HTTP {code}")
        return envelope.get("body")

    async def _read(self, action: str, kind: type[T], path: str, query: Mapping[str, str] | None = None) -> T:
        body = await self._call(action, "GET", path, query)
        try:
            return TypeAdapter(kind).validate_python(body)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise RegistryError(f"registry {self.url}: {action}: {where}: {first['msg']}") from error

    async def _read_list(self, what: str, kind: type[M], path: str) -> list[M]:
        # An empty registry says null instead of an empty list.
        body = await self._call(what, "GET", path) or []
        if not isinstance(body, list):
            raise RegistryError(f"registry {self.url}: {what}: the answer is not a valid list")
        return read_elements(what, body, kind.model_validate)
