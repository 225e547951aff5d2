"""An object that somebody else changes all the time, so that whoever writes it by its version meets a conflict."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from anka_crds.kube.client import KubeClient
from anka_crds.kube.config import load_endpoint
from anka_crds.kube.errors import NotFound
from anka_crds.kube.resource import Resource

WRITERS = 2


@contextmanager
def restless(kubeconfig: Path, resource: Resource[Any], name: str, namespace: str | None = None) -> Iterator[None]:
    """While the block runs, this object gets a new annotation as often as the API takes one. One that is not there yet
    is waited for."""
    enough = threading.Event()

    async def stir(client: KubeClient, writer: int) -> None:
        number = 0
        while not enough.is_set():
            number += 1
            patch = {"metadata": {"annotations": {f"stirred-{writer}": str(number)}}}
            with suppress(NotFound):
                await client.patch(resource, name, patch, namespace)

    async def stir_all() -> None:
        async with KubeClient(load_endpoint(kubeconfig, environ={})) as client:
            await asyncio.gather(*(stir(client, writer) for writer in range(WRITERS)))

    thread = threading.Thread(target=lambda: asyncio.run(stir_all()))
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join()
