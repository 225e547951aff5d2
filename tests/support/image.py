"""The image of this working copy, and whether containers can be run from it here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from anka_dev.image import buildah
from anka_dev.image.buildah import Buildah
from anka_dev.image.errors import NoNetwork
from anka_dev.image.working_copy import open_image
from anka_dev.local_kubernetes import environment
from localkube.pods import container_runtime as containers
from localkube.pods.image import ContainerImage
from localkube.progress import say_on_stderr

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
    return Buildah(environment().cache_root / "images")


@pytest.fixture(scope="session")
def image_or_reason(tool: Buildah) -> Iterator[ContainerImage | str]:
    """The image, built if need be: a minute. Or why there is none; whether there is a network is found by trying."""
    if why := buildah.missing():
        yield why
        return
    with ExitStack() as stack:
        try:
            image: ContainerImage | str = stack.enter_context(open_image(tool, say_on_stderr))
        except NoNetwork as error:
            image = f"no network: {error}"
        yield image


@pytest.fixture(scope="session")
def built_image(image_or_reason: ContainerImage | str) -> ContainerImage:
    """For tests that need it."""
    if isinstance(image_or_reason, str):
        pytest.skip(f"no image is built: {image_or_reason}")
    return image_or_reason
