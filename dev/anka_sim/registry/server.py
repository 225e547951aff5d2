"""The registry's HTTP API over a catalog.

The routes under `/registry`, POST `/log`, `/livez` and `/readyz` are the vendor's public ones. How Macs and registry
really exchange images is not public; the routes under `/sim/v1` are this simulator's own, for the simulated `anka`
only. Nor is it public how central logs are read: GET `/log` and `/log/content` are ours.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import ssl
import tempfile
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from aiohttp import web

from anka_sim.registry import shapes
from anka_sim.registry.access import ANYBODY, RegistryLogin
from anka_sim.registry.catalog import CatalogError, RegistryCatalog
from anka_sim.registry.central_logs import CentralLogFiles

logger = logging.getLogger("anka_sim.registry")
VERSION = "1.50.1-simulated"
CATALOG = web.AppKey("catalog", RegistryCatalog)
LOGS = web.AppKey("logs", CentralLogFiles)
STOPPING = web.AppKey("stopping", asyncio.Event)
LOOK_SECONDS = 0.5
"""A client that has gone is noticed so often."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def answer(body: Any = None) -> web.Response:
    return web.json_response({"status": "OK", "message": "", "body": {} if body is None else body})


def failure(message: str) -> web.Response:
    return web.json_response({"status": "FAIL", "message": message, "body": {}})


@web.middleware
async def envelope(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refusals are HTTP 200 with FAIL, as the real registry answers."""
    try:
        return await handler(request)
    except CatalogError as error:
        return failure(str(error))


async def _body(request: web.Request) -> dict[str, Any]:
    """The request's JSON object whatever its content type; an empty body is an empty object."""
    raw = await request.read()
    if not raw:
        return {}
    try:
        value = json.loads(raw)
    except ValueError as error:
        raise CatalogError(f"the body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise CatalogError("the body is not a JSON object")
    return value


def _require(values: Any, name: str) -> str:
    value = values.get(name)
    if not isinstance(value, str) or not value:
        raise CatalogError(f"{name} is missing")
    return value


async def status(request: web.Request) -> web.Response:
    return answer({"status": "Running", "version": VERSION})


async def list_v1(request: web.Request) -> web.Response:
    if uuid := request.query.get("id"):
        return answer(shapes.template(request.app[CATALOG].get(uuid)))
    return answer([{held["id"]: held["name"]} for held in request.app[CATALOG].all()])


async def list_v2(request: web.Request) -> web.Response:
    if uuid := request.query.get("id"):
        return answer(shapes.template(request.app[CATALOG].get(uuid)))
    return answer([shapes.row(held) for held in request.app[CATALOG].all()])


async def delete(request: web.Request) -> web.Response:
    request.app[CATALOG].delete(_require({**await _body(request), **request.query}, "id"))
    return answer()


async def info(request: web.Request) -> web.Response:
    catalog = request.app[CATALOG]
    uuid = _require(request.query, "id")
    chosen = catalog.version(uuid, request.query.get("tag"), _number(request.query.get("version")))
    return answer(shapes.info(catalog.get(uuid), chosen))


async def revert(request: web.Request) -> web.Response:
    """The version by query `number` (or `version`), query `tag`, or `tag` in a JSON body."""
    given = {**await _body(request), **request.query}
    number = _number(given.get("number", given.get("version")))
    request.app[CATALOG].revert(_require(given, "id"), given.get("tag") or None, number)
    return answer()


def _number(text: str | int | None) -> int | None:
    try:
        return None if text is None or text == "" else int(text)
    except ValueError:
        raise CatalogError(f"version {text!r} is not a number") from None


async def arch(request: web.Request) -> web.Response:
    body = await _body(request)
    request.app[CATALOG].set_arch(_require(body, "id"), _require(body, "arch"))
    return answer()


async def disk(request: web.Request) -> web.Response:
    usage = shutil.disk_usage(request.app[CATALOG].directory)
    return answer({"free": usage.free, "total": usage.total})


async def log(request: web.Request) -> web.Response:
    body = await _body(request)
    request.app[LOGS].add(_require(body, "service"), _require(body, "machine_name"), str(body.get("content") or ""))
    return answer()


async def list_logs(request: web.Request) -> web.Response:
    return answer(request.app[LOGS].all())


async def log_content(request: web.Request) -> web.StreamResponse:
    """The last `last_bytes` of a file, from the beginning of a line on."""
    path = request.app[LOGS].path(_require(request.query, "service"), _require(request.query, "machine_name"))
    start = request.app[LOGS].find_start(path, _number(request.query.get("last_bytes")))
    response = web.StreamResponse(headers={"Content-Type": "text/plain; charset=utf-8"})
    await response.prepare(request)
    with path.open("rb") as file:
        file.seek(start)
        while chunk := file.read(1 << 16):
            await response.write(chunk)
    return response


async def log_stream(request: web.Request) -> web.StreamResponse:
    """The same, and all that is added while the client reads."""
    logs = request.app[LOGS]
    path = logs.path(_require(request.query, "service"), _require(request.query, "machine_name"))
    start = logs.find_start(path, _number(request.query.get("last_bytes")))
    response = web.StreamResponse(headers={"Content-Type": "text/plain; charset=utf-8"})
    await response.prepare(request)
    with path.open("rb") as file:
        file.seek(start)
        while not request.app[STOPPING].is_set():
            if chunk := file.read(1 << 16):
                await response.write(chunk)
            elif request.transport is None or request.transport.is_closing():
                break
            else:
                await logs.wait(LOOK_SECONDS)
    return response


async def log_archive(request: web.Request) -> web.StreamResponse:
    path = request.app[LOGS].path(_require(request.query, "service"), _require(request.query, "machine_name"))
    response = web.StreamResponse(headers={"Content-Type": "application/gzip"})
    with await asyncio.to_thread(request.app[LOGS].archive, path) as packed:
        await response.prepare(request)
        while chunk := packed.read(1 << 16):
            await response.write(chunk)
    return response


async def stop_streams(app: web.Application) -> None:
    app[STOPPING].set()


async def manifest(request: web.Request) -> web.Response:
    return answer(request.app[CATALOG].manifest(_require(request.query, "id"), request.query.get("tag")))


async def record_pull(request: web.Request) -> web.Response:
    body = await _body(request)
    request.app[CATALOG].record_pull(_require(body, "id"), _require(body, "tag"))
    return answer()


async def get_image(request: web.Request) -> web.StreamResponse:
    path = request.app[CATALOG].image(request.match_info["id"], request.match_info["name"])
    if not path.is_file():
        raise web.HTTPNotFound
    return web.FileResponse(path)


async def put_image(request: web.Request) -> web.Response:
    """Receive an image; it appears only once it is complete."""
    path = request.app[CATALOG].image(request.match_info["id"], request.match_info["name"])
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".upload-")
    try:
        with os.fdopen(handle, "wb") as file:
            async for chunk in request.content.iter_chunked(1 << 20):
                file.write(chunk)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    return answer()


async def push(request: web.Request) -> web.Response:
    """Make an uploaded image a version. A clone of one of our templates keeps its base layers."""
    catalog = request.app[CATALOG]
    body = await _body(request)
    uuid = _require(body, "id")
    if not catalog.image(uuid, body["layer"]["name"]).is_file():
        raise CatalogError("the image was not uploaded")
    base = None
    known = {held["id"] for held in catalog.all()}
    if uuid not in known:
        base = _base_layers(catalog, uuid, body, known)
    version = catalog.push(
        uuid,
        _require(body, "name"),
        _require(body, "tag"),
        body["layer"],
        arch=body["arch"],
        config=body["config"],
        description=body.get("description", ""),
        base=base,
        force=bool(body.get("force")),
        suspended=bool(body.get("suspended")),
    )
    return answer({"number": version["number"], "size": version["size"]})


def _base_layers(catalog: RegistryCatalog, uuid: str, body: dict[str, Any], known: set[str]) -> list[dict[str, Any]]:
    source, tag = body.get("source"), body.get("base")
    if source not in known or not tag:
        return []
    layers: list[dict[str, Any]] = catalog.version(source, tag)["layers"]
    for layer in layers:
        shutil.copy2(catalog.image(source, layer["name"]), catalog.image(uuid, layer["name"]))
    return layers


async def alive(request: web.Request) -> web.Response:
    return web.Response(text="ok")


def application(catalog: RegistryCatalog, login: RegistryLogin = ANYBODY) -> web.Application:
    """The server as an aiohttp application."""
    app = web.Application(middlewares=[login.middleware(), envelope], client_max_size=1 << 40)
    login.add_routes(app)
    app[CATALOG] = catalog
    app[LOGS] = CentralLogFiles(catalog.directory / "files" / "central-logs")
    app[STOPPING] = asyncio.Event()
    app.on_shutdown.append(stop_streams)
    app.add_routes(
        [
            web.get("/registry/status", status),
            web.get("/registry/vm", list_v1),
            web.delete("/registry/vm", delete),
            web.get("/registry/v2/vm", list_v2),
            web.get("/registry/vm/info", info),
            web.delete("/registry/revert", revert),
            web.put("/registry/vm/arch", arch),
            web.get("/registry/disk", disk),
            web.post("/log", log),
            web.get("/log", list_logs),
            web.get("/log/content", log_content),
            web.get("/log/stream", log_stream),
            web.get("/log/archive", log_archive),
            web.get("/livez", alive),
            web.get("/readyz", alive),
            web.get("/sim/v1/manifest", manifest),
            web.post("/sim/v1/pulled", record_pull),
            web.get("/sim/v1/image/{id}/{name}", get_image),
            web.put("/sim/v1/image/{id}/{name}", put_image),
            web.post("/sim/v1/push", push),
        ]
    )
    return app


@asynccontextmanager
async def serving(
    directory: str | os.PathLike[str],
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    login: RegistryLogin = ANYBODY,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[str]:
    """Serve a registry directory inside the running event loop; yields its URL. Port 0 takes a free one."""
    runner = web.AppRunner(application(RegistryCatalog(os.fspath(directory)), login), access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, ssl_context=tls)
        await site.start()
        yield f"{'https' if tls else 'http'}://{host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@contextmanager
def serving_in_thread(
    directory: str | os.PathLike[str], *, login: RegistryLogin = ANYBODY, tls: ssl.SSLContext | None = None
) -> Iterator[str]:
    """Serve a registry directory from a thread of its own, for callers without an event loop; yields its URL."""
    ready: Future[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def run_until_stop() -> None:
        stop = asyncio.Event()
        async with serving(directory, login=login, tls=tls) as url:
            ready.set_result((url, asyncio.get_running_loop(), stop))
            await stop.wait()

    def run() -> None:
        try:
            asyncio.run(run_until_stop())
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)

    thread = threading.Thread(target=run, name="registry")
    thread.start()
    try:
        url, loop, stop = ready.result()
        try:
            yield url
        finally:
            loop.call_soon_threadsafe(stop.set)
    finally:
        thread.join()


async def serve_until(
    stop: asyncio.Event,
    directory: str,
    host: str,
    port: int,
    ready: Callable[[str], None],
    *,
    login: RegistryLogin = ANYBODY,
    tls: ssl.SSLContext | None = None,
) -> None:
    async with serving(directory, host, port, login=login, tls=tls) as url:
        ready(url)
        await stop.wait()
