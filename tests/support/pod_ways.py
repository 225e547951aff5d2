"""Both ways in which containers are started; this machine's own root is the image."""

from __future__ import annotations

from pathlib import Path

import pytest

from anka_dev.image.built import Image
from anka_dev.pods import containers
from anka_dev.pods.containers import Containers
from anka_dev.pods.processes import Processes
from anka_dev.pods.ways import Way

NO_CONTAINERS = pytest.mark.skipif(bool(containers.missing()), reason=str(containers.missing()))
WAYS = ["processes", pytest.param("containers", marks=NO_CONTAINERS)]


def machine_as_image(**config: object) -> Image:
    return Image("this-machine", Path("/"), {"WorkingDir": "/", **config})


def way_of(name: str, folder: Path) -> Way:
    if name == "containers":
        return Containers(machine_as_image(), "127.0.0.1")
    return Processes(folder / "names.json")
