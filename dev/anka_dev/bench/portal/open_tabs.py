"""`python -m anka_dev.bench.portal.open_tabs URL COUNT`: tabs that read what they are sent, until standard input ends.

Prints `open` once all have their lists, then `bytes N` at the end. Another process: what browsers
spend is theirs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from localkube.errors import DevError

KINDS = ("cloud", "nodes", "instances", "templates", "groups", "distributions", "saves")
_OPEN_SECONDS = 120.0


@contextlib.contextmanager
def open_tabs(url: str, count: int) -> Iterator[None]:
    """While the block lasts. DevError where not all have opened."""
    command = [sys.executable, "-m", "anka_dev.bench.portal.open_tabs", url, str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        if process.stdout.readline().strip() != "open":
            raise DevError(f"{count} tabs of the portal did not open at {url}")
        yield
        process.stdin.close()
        if not process.stdout.readline().startswith("bytes "):
            raise DevError("a tab of the portal was dropped: it would have been too slow for a browser")


async def _read(url: str, has_lists: asyncio.Semaphore) -> int:
    """Bytes of the messages, as they are without compression."""
    count = 0
    async with connect(url, max_size=None, proxy=None, open_timeout=_OPEN_SECONDS) as socket:
        await socket.send(json.dumps({"type": "open", "kinds": KINDS, "since": {}}))
        missing = {"hello", *KINDS}
        try:
            while True:
                text = await socket.recv()
                count += len(text)
                if missing:
                    message = json.loads(text)
                    missing.discard(message.get("kind", message["type"]))
                    missing -= set(message.get("denied") or ())
                    if not missing:
                        has_lists.release()
        except ConnectionClosed:
            raise SystemExit("a tab was closed") from None
        except asyncio.CancelledError:
            return count


async def _main(url: str, count: int) -> None:
    has_lists = asyncio.Semaphore(0)
    tabs = [asyncio.create_task(_read(url, has_lists)) for _ in range(count)]
    async with asyncio.timeout(_OPEN_SECONDS):
        for _ in range(count):
            await has_lists.acquire()
    print("open", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for tab in tabs:
        tab.cancel()
    print(f"bytes {sum(await asyncio.gather(*tabs))}", flush=True)


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1].replace("http", "ws", 1) + "/portal/v1/stream", int(sys.argv[2])))
