"""Objects that somebody else changes all the time, so that whoever writes them by their version meets a conflict."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from anka_crds.kube.client import KubeClient
from anka_crds.kube.config import load_endpoint
from anka_crds.kube.errors import NotFound
from anka_crds.kube.resource import Resource

Named = tuple[Resource[Any], str, str | None]
"""Kind, name, namespace."""


@contextmanager
def restless(kubeconfig: Path, objects: Sequence[Named]) -> Iterator[None]:
    """While the block runs, each gets a new annotation as often as the API takes one. One that is not there is waited
    for."""
    enough = threading.Event()

    async def stir(client: KubeClient, resource: Resource[Any], name: str, namespace: str | None) -> None:
        number = 0
        while not enough.is_set():
            number += 1
            with suppress(NotFound):
                await client.patch(resource, name, {"metadata": {"annotations": {"stirred": str(number)}}}, namespace)
            await asyncio.sleep(0.002)

    async def stir_all() -> None:
        async with KubeClient(load_endpoint(kubeconfig, environ={})) as client:
            await asyncio.gather(*(stir(client, *named) for named in objects))

    thread = threading.Thread(target=lambda: asyncio.run(stir_all()))
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join()
