"""A small Kubernetes API in memory that misbehaves on command.

It keeps objects, resourceVersions and a history as the real one does, so lists, watches, paging, guards and 410 come
out of the same truth; every fault is asked for by a test.
"""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer

from anka_kube import merge_patch

Json = dict[str, Any]
Key = tuple[str, str]


@dataclass(frozen=True)
class Fault:
    """An answer given instead of the right one."""

    status: int
    message: str = "scripted"
    reason: str = ""
    retry_after: int | None = None
    body: bytes | None = None
    drop: bool = False
    """Do what was asked, then cut the connection instead of answering."""


@dataclass
class Seen:
    verb: str
    path: str
    query: dict[str, str]
    authorization: str
    body: Any
    headers: dict[str, str]


class _Cut:
    """Ends a stream by aborting the connection."""


class _End:
    """Ends a stream as the server does when timeoutSeconds has passed."""


class _Stall:
    """Keeps the connection open and sends nothing any more."""


@dataclass
class _Stream:
    kind: str
    namespace: str
    queue: asyncio.Queue[bytes | type] = field(default_factory=asyncio.Queue)


class ScriptedApi:
    """The server. `url` is where it listens."""

    def __init__(self) -> None:
        self.version = 100
        self.objects: dict[str, dict[Key, Json]] = {}
        self.missing: set[str] = set()
        self.swallowing = False
        """Whether changes are told to no stream, as by a proxy that loses events."""
        self.streams_lists = True
        """Whether a stream can begin with all objects (Kubernetes 1.34)."""
        self.token: str | None = None
        self.reviews: dict[str, Callable[[Json], Json]] = {}
        """By plural: the status of a review with this spec. Reviews are stored nowhere."""
        self.seen: list[Seen] = []
        self.url = ""
        self._history: list[tuple[int, str, str, Json]] = []
        self._compacted = 0
        self._faults: list[tuple[str, Fault]] = []
        self._streams: list[_Stream] = []
        self._uids = 0
        self._snapshots: dict[str, tuple[int, list[Json]]] = {}
        self.listeners: list[Callable[[], None]] = []
        """Called whenever a request came or a stream opened or ended."""

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[Self]:
        app = web.Application(client_max_size=16 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._handle)
        server = TestServer(app)
        await server.start_server()
        self.url = str(server.make_url("")).rstrip("/")
        try:
            yield self
        finally:
            self.cut()
            await server.close()

    # --- the truth ---

    def put(self, kind: str, name: str, namespace: str = "default", /, **fields: Any) -> Json:
        """Create or change an object as some other client would."""
        store = self.objects.setdefault(kind, {})
        old = store.get((namespace, name))
        metadata: Json = {"name": name, "uid": self._uid(old)}
        if namespace:
            metadata["namespace"] = namespace
        given = fields.pop("metadata", {})
        obj: Json = {"kind": kind, **copy.deepcopy(fields), "metadata": {**metadata, **given}}
        return self._store(kind, obj, "MODIFIED" if old else "ADDED")

    def remove(self, kind: str, name: str, namespace: str = "default") -> Json:
        obj = copy.deepcopy(self.objects[kind].pop((namespace, name)))
        self._record("DELETED", kind, obj)
        return obj

    def versions(self, kind: str) -> dict[Key, tuple[str, str]]:
        """(uid, resourceVersion) of every object: what a cache must end up with."""
        return {
            key: (obj["metadata"]["uid"], obj["metadata"]["resourceVersion"])
            for key, obj in self.objects.get(kind, {}).items()
        }

    # --- the faults ---

    def fail(self, verb: str, fault: Fault, times: int = 1) -> None:
        """Answer the next `times` requests of this verb with a fault."""
        self._faults += [(verb, fault)] * times

    def heal(self) -> None:
        self._faults.clear()

    @property
    def faults_left(self) -> int:
        return len(self._faults)

    def compact(self) -> None:
        """Forget the history: an older resourceVersion is answered with 410 from now on."""
        self._history.clear()
        self.version += 1
        self._compacted = self.version
        self._snapshots.clear()

    def cut(self) -> None:
        self._command(_Cut)

    def end(self) -> None:
        self._command(_End)

    def stall(self) -> None:
        self._command(_Stall)

    def send(self, data: bytes) -> None:
        """Raw bytes into every open stream."""
        for stream in self._streams:
            stream.queue.put_nowait(data)

    def bookmark(self) -> None:
        metadata = {"resourceVersion": str(self.version)}
        self.send(json.dumps({"type": "BOOKMARK", "object": {"metadata": metadata}}).encode() + b"\n")

    @property
    def open_streams(self) -> int:
        return len(self._streams)

    async def watched(self) -> None:
        """Wait until a stream is open."""
        await self.until(lambda: bool(self._streams))

    async def until(self, true: Callable[[], bool], seconds: float = 60) -> None:
        """Wait until something that depends on requests or streams is true."""
        moved = asyncio.Event()
        self.listeners.append(moved.set)
        try:
            async with asyncio.timeout(seconds):
                while not true():
                    moved.clear()
                    await moved.wait()
        finally:
            self.listeners.remove(moved.set)

    def count(self, verb: str) -> int:
        return sum(1 for seen in self.seen if seen.verb == verb)

    # --- the protocol ---

    def _uid(self, old: Json | None) -> str:
        if old is not None:
            return str(old["metadata"]["uid"])
        self._uids += 1
        return f"uid-{self._uids}"

    def _store(self, kind: str, obj: Json, type_: str) -> Json:
        self.objects.setdefault(kind, {})[_key(obj)] = obj
        self._record(type_, kind, obj)
        return copy.deepcopy(obj)

    def _record(self, type_: str, kind: str, obj: Json) -> None:
        self.version += 1
        obj["metadata"]["resourceVersion"] = str(self.version)
        if self.swallowing:
            return
        frozen = copy.deepcopy(obj)
        self._history.append((self.version, type_, kind, frozen))
        for stream in self._streams:
            if stream.kind == kind and stream.namespace in ("", frozen["metadata"].get("namespace", "")):
                stream.queue.put_nowait(_event(type_, frozen))

    def _command(self, command: type) -> None:
        for stream in self._streams:
            stream.queue.put_nowait(command)

    def answer_discovery(self, path: str) -> web.Response | None:
        """What a request for this path gets that is about no kind."""
        return None

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if (discovery := self.answer_discovery(request.path)) is not None:
            return discovery
        kind, namespace, name = _split(request.path)
        verb = _verb(request, name)
        body = await request.read()
        query = dict(request.query)
        authorization = request.headers.get("Authorization", "")
        parsed = orjson.loads(body) if body else None
        self.seen.append(Seen(verb, request.path, query, authorization, parsed, dict(request.headers)))
        self._moved()
        if self.token is not None and authorization != f"Bearer {self.token}":
            return _status(401, "Unauthorized", "Unauthorized")
        drop = False
        for position, (wanted, fault) in enumerate(self._faults):
            if wanted == verb:
                del self._faults[position]
                if not fault.drop:
                    return _fault(fault)
                drop = True
                break
        if kind in self.missing:
            return _status(404, "NotFound", "the server could not find the requested resource")
        if parsed is not None and kind in self.reviews:
            return web.json_response({**parsed, "status": self.reviews[kind](parsed["spec"])}, status=201)
        if verb == "watch":
            return await self._watch(request, kind, namespace)
        if verb == "update" and parsed and request.path.endswith("/status"):
            # Nothing but the status is taken from what was sent.
            current = self.objects.get(kind, {}).get((namespace, name), {})
            parsed = {**copy.deepcopy(current), "metadata": {**current.get("metadata", {}), **parsed["metadata"]}} | {
                "status": parsed["status"]
            }
        answer = self._answer(verb, kind, namespace, name, parsed, query)
        if drop:
            assert request.transport is not None
            request.transport.abort()
        return answer

    def _answer(
        self, verb: str, kind: str, namespace: str, name: str, body: Any, query: dict[str, str]
    ) -> web.Response:
        store = self.objects.setdefault(kind, {})
        if verb == "list":
            return self._list(kind, namespace, query)
        if verb == "create":
            name = body["metadata"]["name"]
            namespace = namespace or body["metadata"].get("namespace", "")
            if (namespace, name) in store:
                return _status(409, "AlreadyExists", f"{name} already exists")
            fields = {key: value for key, value in body.items() if key not in ("metadata",)}
            extra = {key: value for key, value in body["metadata"].items() if key not in ("name", "namespace")}
            return web.json_response(self.put(kind, name, namespace, metadata=extra, **fields), status=201)
        current = store.get((namespace, name))
        if current is None:
            return _status(404, "NotFound", f'{kind} "{name}" not found')
        if verb == "get":
            return web.json_response(current)
        if verb == "delete":
            return self._delete(kind, current, body or {})
        changed = merge_patch.apply(current, body) if verb == "patch" else body
        guard = (body.get("metadata") or {}).get("resourceVersion")
        if guard is not None and guard != current["metadata"]["resourceVersion"]:
            return _status(409, "Conflict", "the object has been modified")
        uid = current["metadata"]["uid"]
        if verb == "update" and changed["metadata"].get("uid", uid) != uid:
            return _status(409, "Conflict", "Precondition failed: UID in precondition does not match")
        changed["metadata"]["uid"] = uid
        if "deletionTimestamp" in changed["metadata"] and not changed["metadata"].get("finalizers"):
            store[(namespace, name)] = changed
            return web.json_response(self.remove(kind, name, namespace))
        return web.json_response(self._store(kind, changed, "MODIFIED"))

    def _delete(self, kind: str, current: Json, options: Json) -> web.Response:
        metadata = current["metadata"]
        wanted = (options.get("preconditions") or {}).get("uid")
        if wanted is not None and wanted != metadata["uid"]:
            return _status(409, "Conflict", "the UID in the precondition does not match")
        version = (options.get("preconditions") or {}).get("resourceVersion")
        if version is not None and version != metadata["resourceVersion"]:
            return _status(409, "Conflict", "the resourceVersion in the precondition does not match")
        if metadata.get("finalizers"):
            changed = copy.deepcopy(current)
            changed["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
            return web.json_response(self._store(kind, changed, "MODIFIED"))
        self.remove(kind, *reversed(_key(current)))
        return web.json_response({"kind": "Status", "status": "Success", "details": {"uid": metadata["uid"]}})

    def _list(self, kind: str, namespace: str, query: dict[str, str]) -> web.Response:
        limit = int(query.get("limit", "0"))
        if token := query.get("continue"):
            name, _, position = token.partition("/")
            if name not in self._snapshots:
                return _status(410, "Expired", "the continue token is too old")
            version, items = self._snapshots[name]
            start = int(position)
        else:
            version, start = self.version, 0
            wanted = _named(query)
            items = [
                copy.deepcopy(obj)
                for (space, name), obj in sorted(self.objects.get(kind, {}).items())
                if namespace in ("", space) and wanted in (None, name)
            ]
            name = f"list-{len(self.seen)}"
        end = len(items) if not limit else start + limit
        metadata: Json = {"resourceVersion": str(version)}
        if end < len(items):
            self._snapshots[name] = (version, items)
            metadata |= {"continue": f"{name}/{end}", "remainingItemCount": len(items) - end}
        return web.json_response({"kind": f"{kind}List", "metadata": metadata, "items": items[start:end]})

    async def _watch(self, request: web.Request, kind: str, namespace: str) -> web.StreamResponse:
        if "sendInitialEvents" in request.query:
            if not self.streams_lists:
                return _status(422, "Invalid", "sendInitialEvents is forbidden for watch")
            first = self._initial_events(kind, namespace, _named(dict(request.query)))
            since = self.version
        else:
            first, since = [], int(request.query["resourceVersion"])
        if since < self._compacted:
            return _status(410, "Expired", f"too old resource version: {since}")
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        stream = _Stream(kind, namespace)
        for event in first:
            stream.queue.put_nowait(event)
        for version, type_, history_kind, obj in self._history:
            if version > since and history_kind == kind and namespace in ("", obj["metadata"].get("namespace", "")):
                stream.queue.put_nowait(_event(type_, obj))
        self._streams.append(stream)
        self._moved()
        try:
            while True:
                item = await stream.queue.get()
                if isinstance(item, bytes):
                    await response.write(item)
                elif item is _End:
                    return response
                elif item is _Cut:
                    assert request.transport is not None
                    request.transport.abort()
                    return response
                else:
                    await self._silence(stream)
                    return response
        except ConnectionError:
            return response
        finally:
            self._streams.remove(stream)
            self._moved()

    def _initial_events(self, kind: str, namespace: str, wanted: str | None) -> list[bytes]:
        """All objects, and the bookmark after them."""
        events = [
            _event("ADDED", obj)
            for (space, name), obj in sorted(self.objects.get(kind, {}).items())
            if namespace in ("", space) and wanted in (None, name)
        ]
        end = {"resourceVersion": str(self.version), "annotations": {"k8s.io/initial-events-end": "true"}}
        return [*events, _event("BOOKMARK", {"kind": kind, "metadata": end})]

    def _moved(self) -> None:
        for listener in tuple(self.listeners):
            listener()

    async def _silence(self, stream: _Stream) -> None:
        """Swallow everything until the stream is cut."""
        while await stream.queue.get() is not _Cut:
            pass


def error_event(code: int, message: str = "scripted", reason: str = "") -> bytes:
    """An ERROR event as the API puts it into a watch stream."""
    status = {"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message}
    return json.dumps({"type": "ERROR", "object": status}).encode() + b"\n"


def _event(type_: str, obj: Json) -> bytes:
    return orjson.dumps({"type": type_, "object": obj}) + b"\n"


def _key(obj: Json) -> Key:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def _named(query: dict[str, str]) -> str | None:
    """The name that a field selector asks for; other fields are not looked at."""
    terms = dict(term.split("=", 1) for term in query.get("fieldSelector", "").split(",") if term)
    return terms.get("metadata.name")


def _split(path: str) -> tuple[str, str, str]:
    """(plural, namespace, name) of a request path; a subresource is treated as the object itself."""
    parts = path.strip("/").split("/")
    parts = parts[2:] if parts[0] == "api" else parts[3:]
    namespace = ""
    if len(parts) > 2 and parts[0] == "namespaces":
        namespace, parts = parts[1], parts[2:]
    return parts[0], namespace, parts[1] if len(parts) > 1 else ""


def _verb(request: web.Request, name: str) -> str:
    if request.method == "GET":
        return "watch" if "watch" in request.query else "get" if name else "list"
    return {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}[request.method]


def _status(code: int, reason: str, message: str, retry_after: int | None = None) -> web.Response:
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason}
    headers = {"Retry-After": str(retry_after)} if retry_after is not None else {}
    return web.json_response({**body, "message": message}, status=code, headers=headers)


def _fault(fault: Fault) -> web.Response:
    if fault.body is not None:
        return web.Response(status=fault.status, body=fault.body)
    return _status(fault.status, fault.reason, fault.message, fault.retry_after)
