"""A server for work on the portal's pages: the files of this repository, and rows that change, without a cluster."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import BasicAuth, WSMsgType, web

from anka_dev.portal import details, instance_details
from anka_dev.portal.access_fixtures import PRIVATE_KEY, list_events, list_permissions, list_resource_kinds
from anka_dev.portal.fixtures import Cloud, change, make_cloud, stamp
from anka_dev.portal.log_fixtures import list_logs, send_log
from anka_dev.repository import ROOT

STATIC = ROOT / "api-shim/anka_shim/portal/static"
PLACE = "/portal/static/version/"
"""As index.html spells it; the shim puts its version there."""
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; font-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types lit-html"
)
TOKEN = "secret"  # logs in at this server
KIND_RIGHTS = {
    "nodes": "list_nodes",
    "instances": "list_vms",
    "templates": "registry_list",
    "groups": "get_groups",
    "distributions": "registry_distribute_status",
    "saves": "list_images",
    "apiKeys": "get_api_key",
    "permissionGroups": "view_permission_groups",
    "macPools": "mac_address",
}
FLUSH_SECONDS = 0.25
PING_SECONDS = 5.0
CLOUD = web.AppKey("cloud", Cloud)
SESSION = web.AppKey("session", dict[str, Any])
STALE: web.AppKey[dict[str, float]] = web.AppKey("stale")
"""Seconds that a kind is behind, as the pings say."""
RATE = web.AppKey("rate", float)
SOCKETS: web.AppKey[set[web.WebSocketResponse]] = web.AppKey("sockets")
LOGGED_IN: web.AppKey[asyncio.Event] = web.AppKey("logged in")
TASKS: web.AppKey[list[asyncio.Task[None]]] = web.AppKey("tasks")


def make_session(*, rights: list[str] | None, authentication: bool) -> dict[str, Any]:
    return {
        "user": "root" if authentication else "anonymous",
        "login": "root" if authentication else "none",
        "authentication": authentication,
        "rights": rights,
        "features": {
            "apiKeys": True,
            "authorization": True,
            "macPools": True,
            "eventLog": True,
            "resourcePermissions": False,
            "oidc": "Example ID",
            "kubernetesTokens": True,
        },
    }


def envelope(body: Any = None, *, fail: str | None = None, status: int = 200) -> web.Response:
    answer = {"status": "FAIL" if fail else "OK", "message": fail or ""}
    if body is not None:
        answer["body"] = body
    return web.json_response(answer, status=status)


async def get_file(request: web.Request) -> web.StreamResponse:
    path = (STATIC / request.match_info["path"]).resolve()
    if not path.is_relative_to(STATIC) or not path.is_file():
        raise web.HTTPNotFound
    return web.FileResponse(path, headers={"Content-Security-Policy": CSP, "Cache-Control": "no-store"})


async def get_page(_: web.Request) -> web.StreamResponse:
    text = await asyncio.to_thread((STATIC / "index.html").read_text)
    return web.Response(text=text, content_type="text/html", headers={"Content-Security-Policy": CSP})


async def get_stream(request: web.Request) -> web.StreamResponse:
    if not request.app[LOGGED_IN].is_set():
        return envelope(fail="Authentication required", status=401)
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    first = await socket.receive(10)
    if first.type != WSMsgType.TEXT:
        return socket
    kinds = first.json()["kinds"]
    request.app[SOCKETS].add(socket)
    try:
        with contextlib.suppress(ConnectionError):
            await send_everything(request.app, socket, kinds)
        async for _ in socket:
            pass
    finally:
        request.app[SOCKETS].discard(socket)
    return socket


async def send_everything(app: web.Application, socket: web.WebSocketResponse, kinds: Sequence[str]) -> None:
    await socket.send_json(make_hello(app, kinds))
    denied = find_denied(app)
    for kind in (kind for kind in kinds if kind not in denied):
        rows = list(app[CLOUD].rows.get(kind, {}).values())
        await socket.send_json({"type": "snapshot", "kind": kind, "version": "1", "rows": rows})


def find_denied(app: web.Application) -> dict[str, str]:
    rights = app[SESSION]["rights"]
    return {} if rights is None else {kind: right for kind, right in KIND_RIGHTS.items() if right not in rights}


def make_hello(app: web.Application, kinds: Sequence[str], version: str = "0.1.0") -> dict[str, Any]:
    time = stamp(datetime.now(UTC))
    hello = {"type": "hello", "version": version, "replica": "fixture", "time": time, "kinds": list(kinds)}
    return hello | {"session": app[SESSION], "denied": find_denied(app)}


async def send(app: web.Application, message: dict[str, Any]) -> None:
    sockets = app[SOCKETS]
    for socket in list(sockets):
        with contextlib.suppress(ConnectionError):
            await socket.send_json(message)


async def run_changes(app: web.Application) -> None:
    cloud, version, due = app[CLOUD], 1, 0.0
    while True:
        await asyncio.sleep(FLUSH_SECONDS)
        cloud.now = datetime.now(UTC)
        due += app[RATE] * FLUSH_SECONDS
        changes: dict[str, dict[str, Any]] = {}
        while due >= 1:
            due -= 1
            kind, row = change(cloud)
            changes.setdefault(kind, {})[row["id"]] = row
        version += 1
        if changes:
            delta = {
                k: {"version": str(version), "upsert": list(rows.values()), "remove": []} for k, rows in changes.items()
            }
            await send(app, {"type": "delta", "changes": delta})


def make_ping(app: web.Application) -> dict[str, Any]:
    return {"type": "ping", "time": stamp(datetime.now(UTC)), "stale": app[STALE]}


async def run_pings(app: web.Application) -> None:
    while True:
        await asyncio.sleep(PING_SECONDS)
        await send(app, make_ping(app))


async def get_session(request: web.Request) -> web.Response:
    if not request.app[LOGGED_IN].is_set():
        return envelope(fail="Authentication required", status=401)
    return envelope(request.app[SESSION])


async def get_logins(_: web.Request) -> web.Response:
    return envelope({"root": True, "apiKeys": True, "kubernetesTokens": True, "oidc": "Example ID"})


async def log_in(request: web.Request) -> web.Response:
    if request.headers.get("Authorization") != BasicAuth("root", TOKEN).encode():
        return envelope(fail="Authentication required", status=401)
    request.app[LOGGED_IN].set()
    return envelope()


async def log_out(request: web.Request) -> web.Response:
    request.app[LOGGED_IN].clear()
    return envelope()


READS: dict[str, Callable[[], Any]] = {
    "/admin/api/v1/permission/permissions": list_permissions,
    "/admin/api/v1/permission/resources/permissions": list_resource_kinds,
    "/portal/v1/events": list_events,
}
"""What details say, by path."""


async def read(request: web.Request) -> web.Response:
    return envelope(READS[request.path]())


async def make_key(_: web.Request) -> web.Response:
    return envelope(PRIVATE_KEY)


async def get_logs(_: web.Request) -> web.Response:
    return envelope(list_logs(datetime.now(UTC)))


async def answer_action(request: web.Request) -> web.Response:
    """Actions succeed, without consequences; of reads, few have something."""
    if request.method == "GET":
        found = instance_details.answer(request.app[CLOUD], request.path, dict(request.query))
        if found is not None:
            return envelope(found)
        return envelope(fail="this server has invented rows only", status=200)
    return envelope({})


async def get_history(request: web.Request) -> web.Response:
    return envelope(details.history(request.app[CLOUD]))


async def get_explanation(request: web.Request) -> web.Response:
    return envelope(details.explanation(request.app[CLOUD], dict(request.query)))


async def get_node_history(request: web.Request) -> web.Response:
    return envelope(details.node_history(request.app[CLOUD]))


async def get_object(request: web.Request) -> web.Response:
    query = request.query
    found = details.object_detail(request.app[CLOUD], query.get("kind", ""), query.get("id", ""))
    return envelope(fail="Not found") if found is None else envelope(found)


async def post_join(request: web.Request) -> web.Response:
    name = (await request.json())["name"]
    line = f"sudo anka-agent join https://cluster.example.com:6443 --token {'t' * 400} --node-id {name}"
    return envelope({"command": [line], "expires": stamp(datetime.now(UTC) + timedelta(hours=1))})


async def add_tasks(app: web.Application) -> None:
    app[SOCKETS] = set[web.WebSocketResponse]()
    app[TASKS] = [asyncio.create_task(run_changes(app)), asyncio.create_task(run_pings(app))]


async def end_tasks(app: web.Application) -> None:
    for task in app[TASKS]:
        task.cancel()
    sockets = app[SOCKETS]
    for socket in list(sockets):
        await socket.close()


def make_app(
    *, rate: float = 0, rights: list[str] | None = None, authentication: bool = True, logged_in: bool = True
) -> web.Application:
    app = web.Application()
    app[LOGGED_IN] = asyncio.Event()
    if logged_in:
        app[LOGGED_IN].set()
    app[CLOUD] = make_cloud(datetime.now(UTC))
    app[SESSION] = make_session(rights=rights, authentication=authentication)
    app[RATE] = rate
    app[STALE] = {}
    app.on_startup.append(add_tasks)
    app.on_shutdown.append(end_tasks)
    app.add_routes(
        [
            web.get("/", get_page),
            web.get("/portal/", get_page),
            web.get(PLACE + "{path:.+}", get_file),
            web.get("/portal/v1/stream", get_stream),
            web.get("/portal/v1/session", get_session),
            *(web.get(path, read) for path in READS),
            web.post("/api/v1/apikey", make_key),
            web.get("/api/v1/logs", get_logs),
            web.get("/logs/file", send_log),
            web.get("/logs/stream", send_log),
            web.get("/portal/v1/login", get_logins),
            web.post("/portal/v1/login", log_in),
            web.post("/portal/v1/logout", log_out),
            web.post("/portal/v1/login", get_session),
            web.get("/portal/v1/history", get_history),
            web.get("/portal/v1/explain", get_explanation),
            web.get("/portal/v1/nodes/history", get_node_history),
            web.get("/portal/v1/object", get_object),
            web.post("/portal/v1/join", post_join),
            web.route("*", "/{path:.*}", answer_action),
        ]
    )
    return app


def serve(port: int, **options: Any) -> None:
    print(f"http://127.0.0.1:{port}/portal/  (files: {Path(STATIC).relative_to(ROOT)}; Ctrl-C ends it)", flush=True)
    web.run_app(make_app(**options), host="127.0.0.1", port=port, print=None)
