"""A watch for each of many nodes, each with its own connection: what kubelets have open, and kwok has not.

Run as a program, it opens them, prints a line, and reads until its standard input ends.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import orjson
import uvloop

from anka_crds.api.defaults import NODE_NAMESPACE
from anka_crds.resources import INSTANCES
from anka_dev.bench.pods import PODS
from anka_dev.bench.population import mac_name
from anka_kube.client import KubeClient
from anka_kube.config import load_endpoint
from anka_kube.lease import LEASES
from anka_kube.lines import LineSplitter
from anka_kube.resource import Resource, Selection
from localkube.controlplane.process import last_line
from localkube.errors import DevError

_OPEN = "open"


@dataclass(frozen=True)
class WatchedKind:
    """What each node watches."""

    resource: Resource[Any]
    selector: str
    """Field of which the node's name is the value."""
    namespace: str | None = None

    def selection(self, node: str) -> Selection:
        return Selection(self.namespace, field_selector=f"{self.selector}={node}")


KINDS = {
    "pods": WatchedKind(PODS, "spec.nodeName"),
    "instances": WatchedKind(INSTANCES, "status.nodeName"),
    "leases": WatchedKind(LEASES, "metadata.name", NODE_NAMESPACE),
}


class NodeWatches:
    """The program; a context manager, inside of which all watches are open. `kind`: a key of KINDS."""

    def __init__(self, kubeconfig: Path, nodes: int, log: Path, *, kind: str = "pods") -> None:
        self._argv = [
            sys.executable,
            "-m",
            "anka_dev.bench.node_watches",
            f"--kubeconfig={kubeconfig}",
            f"--nodes={nodes}",
            f"--kind={kind}",
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


async def _run(kubeconfig: str, nodes: int, kind: WatchedKind) -> None:
    """Until standard input ends; raises when a watch can no longer be had."""
    endpoint = load_endpoint(kubeconfig)
    async with AsyncExitStack() as stack:
        watches = []
        for number in range(nodes):
            client = await stack.enter_async_context(KubeClient(endpoint, user_agent="anka-bench"))
            watch = _NodeWatch(client, kind.resource, kind.selection(mac_name(number)))
            await watch.list()
            watches.append(watch)
        reads = [asyncio.create_task(watch.read()) for watch in watches]
        ended = asyncio.create_task(_input_ended())
        opened = asyncio.create_task(_all_open(watches))
        await asyncio.wait([opened, ended, *reads], return_when=asyncio.FIRST_COMPLETED)
        if opened.done():
            print(_OPEN, flush=True)
            await asyncio.wait([ended, *reads], return_when=asyncio.FIRST_COMPLETED)
        opened.cancel()
        for read in reads:
            if read.done():
                read.result()
            read.cancel()
        await asyncio.wait(reads)


async def _all_open(watches: Sequence[_NodeWatch]) -> None:
    for watch in watches:
        await watch.opened.wait()


class _NodeWatch:
    """It goes on from where it was when the apiserver ends it for being slow, as an agent and a kubelet do."""

    def __init__(self, client: KubeClient, resource: Resource[Any], selection: Selection) -> None:
        self._client = client
        self._resource = resource
        self._selection = selection
        self._version = ""
        self.opened = asyncio.Event()

    async def list(self) -> None:
        page = await self._client.list_page(self._resource, self._selection, retry=False)
        self._version = page.resource_version

    async def read(self) -> None:
        while True:
            lines = LineSplitter()
            async with self._client.watch(
                self._resource, self._selection, resource_version=self._version, timeout_seconds=3600
            ) as chunks:
                self.opened.set()
                async for chunk in chunks:
                    for line in lines.feed(chunk):
                        self._version = orjson.loads(line)["object"]["metadata"]["resourceVersion"]


async def _input_ended() -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kubeconfig", required=True)
    parser.add_argument("--nodes", type=int, required=True)
    parser.add_argument("--kind", choices=KINDS, required=True)
    options = parser.parse_args()
    uvloop.run(_run(options.kubeconfig, options.nodes, KINDS[options.kind]))


if __name__ == "__main__":
    main()
