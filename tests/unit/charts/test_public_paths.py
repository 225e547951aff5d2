"""What Ingress and HTTPRoute lead to: all that clients use, and nothing else."""

from __future__ import annotations

import json
from urllib.parse import unquote

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import ASGIApp, Message

from anka_dev.repository import CHART
from anka_shim.http.rights import RIGHTS
from support.shim_rig import rig

PUBLIC: list[str] = yaml.safe_load((CHART / "values.yaml").read_text())["publicPaths"]
PRIVATE = {"/livez", "/readyz", "/metrics"}
"""For kubelets, Prometheus and load balancers, which reach the pods themselves."""
SEGMENTS = ["..", ".", "", "%2e%2e", "..%2f", "metrics", "docs", "peer", "openapi.json", "livez"]

PORTAL_PAGE = "/portal/"
"""The one page below a published path that is no envelope."""


def is_published(path: str) -> bool:
    """As Ingress matches the path types Exact (for /) and Prefix: whole segments."""
    wanted = path.split("/")
    return path == "/" or any(
        wanted[: len(prefix)] == prefix for prefix in (public.split("/") for public in PUBLIC if public != "/")
    )


async def test_every_endpoint_of_clients_is_published() -> None:
    async with rig() as shim:
        document = (await shim.http.get("/openapi.json")).json()
    assert {path for path in document["paths"] if not is_published(path)} == PRIVATE


def test_the_portal_is_published() -> None:
    """Its routes are in no OpenAPI document."""
    paths = [route.split()[1] for route in RIGHTS if " /portal" in route]
    assert paths
    assert all(map(is_published, paths))


@pytest.mark.parametrize(
    "path", ["/metrics", "/docs", "/docs/x.js", "/openapi.json", "/peer/x", "/livez", "/apix", "//"]
)
def test_what_is_not_published(path: str) -> None:
    assert not is_published(path)


async def get(app: ASGIApp, path: str) -> tuple[int, bytes]:
    """Status and body, with the path as it came: httpx would resolve its dots."""
    answer: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        answer.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http", "method": "GET",
        "path": unquote(path), "raw_path": path.encode(), "root_path": "", "query_string": b"",
        "headers": [(b"host", b"shim")], "server": ("shim", 80), "client": ("127.0.0.1", 1),
    }  # fmt: skip
    await app(scope, receive, send)
    return answer[0]["status"], b"".join(message.get("body", b"") for message in answer[1:])


@settings(max_examples=50, deadline=None)
@given(prefix=st.sampled_from(PUBLIC[1:]), rest=st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=5))
async def test_no_published_path_leads_to_another(prefix: str, rest: list[str]) -> None:
    """The shim resolves no dots: whatever an Ingress takes for a path below /api is one, or nothing."""
    path = "/".join([prefix, *rest])
    async with rig() as shim:
        status, body = await get(shim.edge, path)
    if path == PORTAL_PAGE:
        assert (status, body.startswith(b"<!doctype html>")) == (200, True)
        return
    assert (status, json.loads(body)["status"]) == (404, "FAIL"), (path, body)
