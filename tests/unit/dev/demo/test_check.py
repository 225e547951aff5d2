"""`make demo-check`: which output of the printed commands is a failure."""

from __future__ import annotations

from typing import Any, cast

import pytest

from anka_dev.demo import check
from anka_dev.demo.shell import DemoCommand
from anka_dev.demo.steps import INSTANCE, Demo

GOOD = [
    f"ankainstance.anka.veertu.com/{INSTANCE} Started Active",
    "Started",
    '{"instance_state":"Started"}',
    "hello from anka on vm",
]
WANTED = [(f"/{INSTANCE} ", "Active"), ("Started",), ('"instance_state":"Started"',), ("hello from anka on ",)]


class FakeDemo:
    """Prints into a list; its commands echo what they are given, its Macs lose a VM by each deletion."""

    apply_to_ready_seconds = 1.5

    def __init__(self, outputs: list[str], vms: list[list[str]] | None = None) -> None:
        self.lines: list[str] = []
        self._outputs = outputs
        self._vms = iter(vms if vms is not None else [["a", "b"], ["b"]])
        self.printer = self.cloud = self.kubectl = self

    def plain(self, text: str = "") -> None:
        self.lines.append(text)

    def print_commands(self) -> None:
        pass

    def commands(self) -> list[DemoCommand]:
        titles = ["The whole cloud:", "One instance:", "The old REST API:", "Into the VM:"]
        return [
            DemoCommand(title, f"echo '{output}'", wanted)
            for title, output, wanted in zip(titles, self._outputs, WANTED, strict=True)
        ]

    def instances_to_save(self) -> list[str]:
        return []

    def vm_names(self) -> list[str]:
        return next(self._vms)

    def run(self, *_: Any, **__: Any) -> None:
        pass


def test_a_good_demo() -> None:
    demo = FakeDemo(GOOD)
    assert check.run(cast(Demo, demo)) == 0
    assert demo.lines[-2:] == ["apply to Ready: 1.5 s", "ssh said: hello from anka on vm"]


@pytest.mark.parametrize(
    ("number", "output", "failure"),
    [
        (
            0,
            "ankainstance.anka.veertu.com/other Started Active",
            f"'/{INSTANCE} ' is not in its output",
        ),
        (1, "Failed", "One instance: 'Started' is not in its output"),
        (2, "{}", "The old REST API: "),
        (3, "", "Into the VM: 'hello from anka on ' is not in its output"),
        (3, "' ; exit 3; echo '", "Into the VM: exit code 3"),
    ],
)
def test_an_output_without_what_it_promises(number: int, output: str, failure: str) -> None:
    demo = FakeDemo([output if n == number else good for n, good in enumerate(GOOD)])
    assert check.run(cast(Demo, demo)) == 1
    assert demo.lines[-1].startswith("demo-check failed: ")
    assert failure in demo.lines[-1]


def test_a_vm_that_stays_after_its_deletion() -> None:
    demo = FakeDemo(GOOD, [["a", "b"], ["a", "b"]])
    assert check.run(cast(Demo, demo)) == 1
    assert "Deleting: the Macs had ['a', 'b'] and have ['a', 'b']" in demo.lines[-1]
