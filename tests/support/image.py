"""The image of this working copy, and whether containers can be run from it here."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from anka_dev.controlplane import versions
from anka_dev.controlplane.embedded import say_on_stderr
from anka_dev.image import buildah
from anka_dev.image.buildah import Buildah
from anka_dev.image.built import Image, built
from anka_dev.pods import containers

AS_PROCESSES = "ANKA_PODS"


def no_containers() -> str | None:
    """Why pods of the chart are plain processes here; None when they are containers of the built image."""
    if os.environ.get(AS_PROCESSES) == "processes":
        return f"{AS_PROCESSES}=processes"
    return buildah.missing() or containers.missing()


def pytest_report_header() -> str:
    why = no_containers()
    return f"pods: {f'processes of this virtual environment: {why}' if why else 'containers of the built image'}"


@pytest.fixture(scope="session")
def tool() -> Buildah:
    return Buildah(versions.cache_root(os.environ) / "images")


@pytest.fixture(scope="session")
def built_image(tool: Buildah) -> Iterator[Image]:
    """Built if need be, a minute. Only for tests that are skipped where no image can be built."""
    with built(tool, say_on_stderr) as image:
        yield image
