"""Makes write conflicts: another client changes an object all the time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from anka_kube.client import KubeClient
from anka_kube.config import load_endpoint
from anka_kube.errors import NotFound
from anka_kube.resource import Resource

WRITERS = 2


@contextmanager
def keep_changing(kubeconfig: Path, resource: Resource[Any], name: str, namespace: str | None = None) -> Iterator[None]:
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
