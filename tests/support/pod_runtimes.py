"""Both container runtimes; this machine's own root is the image."""

from __future__ import annotations

from pathlib import Path

import pytest

from localkube.pods import container_runtime as containers
from localkube.pods.container_runtime import ContainerRuntime
from localkube.pods.image import ContainerImage
from localkube.pods.process_runtime import ProcessRuntime
from localkube.pods.runtime import Runtime

NO_CONTAINERS = pytest.mark.skipif(bool(containers.missing()), reason=str(containers.missing()))
RUNTIMES = ["processes", pytest.param("containers", marks=NO_CONTAINERS)]


def machine_as_image(**config: object) -> ContainerImage:
    return ContainerImage("this-machine", Path("/"), {"WorkingDir": "/", **config})


def runtime_of(name: str, folder: Path) -> Runtime:
    if name == "containers":
        return ContainerRuntime(machine_as_image(), "127.0.0.1")
    return ProcessRuntime(folder / "names.json")
