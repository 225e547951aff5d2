"""The registry's HTTP API (port 8089 by default). Answers are `{"status", "message", "body"}`; a logical failure is
HTTP 200 with a status other than OK (FAIL; ERROR before registry 1.37)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import aiohttp
import orjson
from pydantic import TypeAdapter, ValidationError

from anka_crds.process.session import HoldsSession
from anka_crds.registry.errors import RegistryError, RegistryRefused
from anka_crds.registry.models import RegistryDisk, RegistryLog, RegistryRow, RegistryStatus, RegistryTemplate

TIMEOUT_SECONDS = 10.0
CONNECT_SECONDS = 3.0
STREAM = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=TIMEOUT_SECONDS)
"""For what is read as it comes: whoever reads it sets the pace, and a registry that falls silent ends it."""

T = TypeVar("T")


class RegistryClient(HoldsSession):
    """One registry, as an async context manager. Every method raises RegistryError and nothing else for what goes
    wrong outside; nothing is retried: callers poll."""

    def __init__(
        self, url: str, *, timeout_seconds: float = TIMEOUT_SECONDS, headers: Mapping[str, str] | None = None
    ) -> None:
        self.url = url.rstrip("/")
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=min(CONNECT_SECONDS, timeout_seconds))
        self._headers = dict(headers or {})

    def _open_session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(timeout=self._timeout, headers=self._headers)

    async def status(self) -> RegistryStatus:
        return self._parse("status", RegistryStatus, await self._call("status", "GET", "/registry/status"))

    async def templates(self) -> list[RegistryRow]:
        """All templates, without their versions."""
        body = await self._call("list of templates", "GET", "/registry/v2/vm")
        return self._parse("list of templates", list[RegistryRow], body or [])

    async def templates_v1(self) -> dict[str, str]:
        """Names by UUID, as registries without the v2 API list them: `[{uuid: name}, …]`."""
        body = await self._call("list of templates", "GET", "/registry/vm")
        pairs = self._parse("list of templates", list[dict[str, str]], body or [])
        return {uuid: name for pair in pairs for uuid, name in pair.items()}

    async def template(self, uuid: str) -> RegistryTemplate:
        """One template with its versions. RegistryRefused when there is none."""
        action = f"template {uuid}"
        body = await self._call(action, "GET", "/registry/v2/vm", {"id": uuid})
        return self._parse(action, RegistryTemplate, body)

    async def info(self, uuid: str, *, tag: str | None = None, version: int | None = None) -> dict[str, Any]:
        """The VM's configuration, as `anka describe` prints it."""
        query = {"id": uuid, **({"tag": tag} if tag else {}), **({} if version is None else {"version": str(version)})}
        action = f"configuration of template {uuid}"
        return self._parse(action, dict[str, Any], await self._call(action, "GET", "/registry/vm/info", query))

    async def disk(self) -> RegistryDisk:
        return self._parse("disk", RegistryDisk, await self._call("disk", "GET", "/registry/disk"))

    async def delete(self, uuid: str) -> None:
        """Delete a template with all its versions."""
        await self._call(f"deletion of template {uuid}", "DELETE", "/registry/vm", {"id": uuid})

    async def revert(self, uuid: str, *, tag: str | None = None, number: int | None = None) -> None:
        """Remove this version and all newer ones: the newest alone if neither is given."""
        query = {"id": uuid, **({"tag": tag} if tag else {}), **({} if number is None else {"number": str(number)})}
        await self._call(f"revert of template {uuid}", "DELETE", "/registry/revert", query)

    async def log(self, service: str, machine: str, host: str, content: str) -> None:
        """Add these lines to the central log of a service on a machine. `host`: the machine's address."""
        entry = {"machine_name": machine, "service": service, "host": host, "content": content}
        await self._call("logs", "POST", "/log", data=orjson.dumps(entry))

    async def logs(self) -> list[RegistryLog]:
        """What central logs there are. RegistryError where a registry keeps them, but has no way to read them."""
        return self._parse("logs", list[RegistryLog], await self._call("logs", "GET", "/log") or [])

    @asynccontextmanager
    async def log_content(self, service: str, machine: str, *, last_bytes: int) -> AsyncIterator[AsyncIterator[bytes]]:
        """The last bytes of one of them, as they come. Raises RegistryError, also while they are read."""
        action = f"log of {service} on {machine}"
        query = {"service": service, "machine_name": machine, "last_bytes": str(last_bytes)}
        try:
            async with self._open().get(self.url + "/log/content", params=query, timeout=STREAM) as response:
                if response.status != 200 or response.content_type == "application/json":
                    self._body(action, await response.read(), response.status)
                    raise RegistryError(f"registry {self.url}: {action}: the answer is not a log")
                yield response.content.iter_any()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._silent(error) from error

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("RegistryClient is used outside of its context manager")
        return self._session

    def _silent(self, error: Exception) -> RegistryError:
        why = "no answer in time" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
        return RegistryError(f"registry {self.url} does not answer: {' '.join(why.split())}")

    async def _call(
        self, action: str, method: str, path: str, query: Mapping[str, str] | None = None, data: bytes | None = None
    ) -> Any:
        """The body of the envelope."""
        session = self._open()
        try:
            async with session.request(method, self.url + path, params=query, data=data) as response:
                raw = await response.read()
                code = response.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise self._silent(error) from error
        return self._body(action, raw, code)

    def _body(self, action: str, raw: bytes, code: int) -> Any:
        try:
            envelope = orjson.loads(raw)
        except orjson.JSONDecodeError:
            envelope = None
        if not isinstance(envelope, dict) or "status" not in envelope:
            words = "the answer is not the registry's" if code == 200 else f"HTTP {code}"
            raise RegistryError(f"registry {self.url}: {action}: {words}: is this the URL of an Anka registry?")
        if envelope["status"] != "OK":
            raise RegistryRefused(action, " ".join(str(envelope.get("message") or f"HTTP {code}").split()))
        if code != 200:
            raise RegistryError(f"registry {self.url}: {action}: HTTP {code}")
        return envelope.get("body")

    def _parse(self, action: str, kind: type[T], body: Any) -> T:
        try:
            return TypeAdapter(kind).validate_python(body)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise RegistryError(f"registry {self.url}: {action}: {where}: {first['msg']}") from error
