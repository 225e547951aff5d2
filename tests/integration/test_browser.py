"""A real browser: what a page of another site can do here, and what our own can."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from support.shim_rig import TEMPLATE, Rig, listening, rig

BROWSER = shutil.which("chromium")
EVIL = "--host-resolver-rules=MAP evil.test 127.0.0.1"

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no browser here")

PAGE = """<!doctype html><title>evil</title><body><script>
const url = "%(url)s", body = JSON.stringify({vmid: "%(vmid)s"});
const tell = text => { document.body.append(text + " ") };
const attempts = {
  simple: () => fetch(url, {method: "POST", mode: "no-cors", body}),
  credentials: () => fetch(url, {method: "POST", mode: "no-cors", credentials: "include", body}),
  beacon: async () => navigator.sendBeacon(url, body),
  read: async () => tell("READ " + await (await fetch(url)).text()),
  json: () => fetch(url, {method: "POST", headers: {"Content-Type": "application/json"}, body}),
  remove: () => fetch(url, {method: "DELETE", body: "{}"}),
};
(async () => {
  for (const [name, attempt] of Object.entries(attempts))
    await attempt().then(() => tell(name + "-sent"), () => tell(name + "-failed"));
  const frame = document.createElement("iframe");
  frame.name = "frame";
  document.body.append(frame);
  const form = document.createElement("form");
  Object.assign(form, {method: "POST", action: url, enctype: "text/plain", target: "frame"});
  const field = document.createElement("input");
  Object.assign(field, {name: '{"vmid":"%(vmid)s","x":"', value: '"}'});
  form.append(field);
  document.body.append(form);
  form.submit();
  frame.onload = () => { tell("form-sent"); fetch("/done", {method: "POST"}) };
})();
</script>"""


@asynccontextmanager
async def served() -> AsyncIterator[tuple[Rig, int]]:
    async with rig(allowed_hosts="localhost,shim") as shim, listening(shim.edge) as (_, port):
        yield shim, port


async def visit(url: str, profile: Path, *options: str) -> str:
    """The page as it is once its scripts are done."""
    assert BROWSER is not None
    process = await asyncio.create_subprocess_exec(
        BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={profile}",
        "--virtual-time-budget=20000", *options, "--dump-dom", url,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        text, _ = await asyncio.wait_for(process.communicate(), 120)
    finally:
        if process.returncode is None:
            process.kill()
    return text.decode()


@pytest.mark.parametrize("name", ["evil.test", "127.0.0.1"], ids=["another site", "another port"])
async def test_a_page_of_another_site_starts_nothing_and_reads_nothing(name: str, tmp_path: Path) -> None:
    done = asyncio.Event()

    async def page(_: web.Request) -> web.Response:
        text = PAGE % {"url": f"http://127.0.0.1:{port}/api/v1/vm", "vmid": TEMPLATE}
        return web.Response(text=text, content_type="text/html")

    async def finish(_: web.Request) -> web.Response:
        done.set()
        return web.Response()

    evil = web.Application()
    evil.router.add_get("/", page)
    evil.router.add_post("/done", finish)
    async with served() as (shim, port), TestServer(evil) as server:
        text = await visit(f"http://{name}:{server.port}/", tmp_path, EVIL)
        assert done.is_set(), text
        for way in ("simple-sent", "beacon-sent", "form-sent", "json-failed", "remove-failed"):
            assert way in text
        assert "READ {" not in text
        assert await shim.body("GET", "/api/v1/vm") == []


async def test_another_name_for_our_address_shows_nothing(tmp_path: Path) -> None:
    async with served() as (_, port):
        text = await visit(f"http://evil.test:{port}/api/v1/vm", tmp_path, EVIL)
        assert "this API is not served as 'evil.test" in text, text


async def test_our_own_page_works(tmp_path: Path) -> None:
    async with served() as (_, port):
        text = await visit(f"http://localhost:{port}/docs", tmp_path)
        assert "operations-tag-" in text, text[:2000]
