"""The image as the Dockerfile makes it: really built, and run as its user."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from anka_dev.image.build import BASE
from anka_dev.image.buildah import Buildah, missing
from localkube.pods.image import ContainerImage

MOST_BYTES = 260_000_000
"""Of what we add to the base; kubernetes and pydantic are most of it."""

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(bool(missing()), reason=f"no image is built: {missing()}")]


@pytest.fixture(scope="module")
def container(tool: Buildah, built_image: ContainerImage) -> Iterator[str]:
    name = tool.begin(built_image.name)
    yield name
    tool.run("rm", name)


@pytest.mark.parametrize("program", ["anka-operator", "anka-shim", "anka-agent"])
def test_each_program_starts(tool: Buildah, container: str, program: str) -> None:
    done = tool.inside(container, program, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: {program}")


def test_it_runs_as_nobody_in_particular_and_owns_nothing(tool: Buildah, container: str) -> None:
    assert tool.inside(container, "id", "-u").stdout.strip() == "65532"
    assert tool.inside(container, "find", "/app", "-writable", "-not", "-type", "l").stdout == ""


def test_nothing_of_the_workshop_is_inside(tool: Buildah, container: str) -> None:
    for tool_name in ("gcc", "cc", "make", "git", "anka-dev", "anka-sim"):
        assert tool.inside(container, "sh", "-c", f"command -v {tool_name}").stdout == "", tool_name
    packages = tool.inside(container, "sh", "-c", "ls /app/lib/python3*/site-packages").stdout.split()
    assert {"anka_operator", "anka_scheduler", "anka_shim", "anka_agent", "anka_crds"} <= set(packages)
    assert not {"anka_dev", "pytest", "hypothesis", "mypy", "pip", "setuptools", "tests"} & set(packages)
    assert tool.inside(container, "ls", "/src").returncode != 0


def test_it_is_small(tool: Buildah, built_image: ContainerImage) -> None:
    added = tool.size(built_image.name) - tool.size(BASE)
    print(f"the image adds {added / 1e6:.0f} MB to its base")
    assert added < MOST_BYTES
