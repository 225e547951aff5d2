"""The old API's contract: the cases of tests/data/contract over HTTP, with a real apiserver, operator, shim and Macs.

How to add one: docs/contribute/development.md, "Contract cases".
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest

from anka_dev.cloud import LocalCloud
from support.cloud import FAST_MAC, TAG, TEMPLATE
from support.contract.case import Case, files, read
from support.contract.runner import Runner

pytestmark = pytest.mark.e2e

# The tablet is in use already, by a VM that is not ours: agents look at devices once a minute only.
USB = [
    {"name": "iphone7", "id": "1", "location": "336675856"},
    {"name": "tablet", "id": "2", "location": "tablet", "vm": "somebody's"},
]


def cases() -> Iterator[object]:
    for path in files():
        for case in read(path):
            yield pytest.param(case, id=f"{path.stem}: {case.title}")


@pytest.fixture(scope="module")
def runner(make_cloud: Callable[[], LocalCloud]) -> Iterator[Runner]:
    cloud = make_cloud()
    cloud.start_operator("--registry-seconds=1")
    cloud.start_shim()
    flags = ("--max-vm-count=4", "--heartbeat=2", "--lease-duration=8")
    cloud.add_mac("mac-01", *flags, usb=USB, **FAST_MAC)
    cloud.add_mac("mac-02", *flags, **FAST_MAC)
    cloud.wait_ready()
    assert cloud.registry is not None
    runner = Runner(
        cloud,
        {
            "template": cloud.registry.templates[0],
            "template_name": TEMPLATE,
            "tag": TAG,
            "node": "mac-01",
            "second_node": "mac-02",
            "registry": cloud.registry.url,
            "unknown": str(uuid.UUID(int=1)),
        },
    )
    yield runner
    runner.close()
    cloud.check()


@pytest.mark.parametrize("case", list(cases()))
def test_contract(runner: Runner, case: Case) -> None:
    runner.run(case)
