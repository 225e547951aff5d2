"""A watch of the Pods of each of many nodes, each with its own connection: what kubelets have open, and kwok has not.

Run as a program, it opens them, prints a line, and reads until its standard input ends.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Self

import uvloop

from anka_dev.bench.pods import PODS
from anka_dev.bench.population import mac_name
from anka_kube.client import KubeClient
from anka_kube.config import load_endpoint
from anka_kube.resource import Selection
from localkube.controlplane.process import last_line
from localkube.errors import DevError

_OPEN = "open"


class NodeWatches:
    """The program; a context manager, inside of which all watches are open."""

    def __init__(self, kubeconfig: Path, nodes: int, log: Path) -> None:
        self._argv = [
            sys.executable,
            "-m",
            "anka_dev.bench.burst.node_watches",
            f"--kubeconfig={kubeconfig}",
            f"--nodes={nodes}",
        ]
        self._log = log
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        """Return once all are open. DevError when that fails."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self._process.stdout is not None
        if self._process.stdout.readline().strip() != _OPEN:
            self._process.communicate()
            raise self._ended()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.communicate()

    def check(self) -> None:
        """DevError when they are no longer open."""
        if self._process is not None and self._process.poll() is not None:
            raise self._ended()

    def _ended(self) -> DevError:
        return DevError(f"the watches of nodes ended: {last_line(self._log)} (log: {self._log})")


async def _run(kubeconfig: str, nodes: int) -> None:
    """Until standard input ends; raises when a watch does, which then would be missing from what is measured."""
    endpoint = load_endpoint(kubeconfig)
    async with AsyncExitStack() as stack:
        streams = []
        for number in range(nodes):
            client = await stack.enter_async_context(KubeClient(endpoint, user_agent="anka-bench"))
            streams.append(await stack.enter_async_context(await _open(client, mac_name(number))))
        print(_OPEN, flush=True)
        reads = [asyncio.create_task(_read(stream)) for stream in streams]
        await asyncio.wait([asyncio.create_task(_input_ended()), *reads], return_when=asyncio.FIRST_COMPLETED)
        for read in reads:
            if read.done():
                read.result()
            read.cancel()
        await asyncio.wait(reads)


async def _open(client: KubeClient, node: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
    its_pods = Selection(field_selector=f"spec.nodeName={node}")
    page = await client.list_page(PODS, its_pods, retry=False)
    return client.watch(PODS, its_pods, resource_version=page.resource_version, timeout_seconds=3600)


async def _read(stream: AsyncIterator[bytes]) -> None:
    async for _ in stream:
        pass
    raise EOFError("the server ended a watch")


async def _input_ended() -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kubeconfig", required=True)
    parser.add_argument("--nodes", type=int, required=True)
    options = parser.parse_args()
    uvloop.run(_run(options.kubeconfig, options.nodes))


if __name__ == "__main__":
    main()
