"""Which VMs must answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from anka_agent.anka.vm import Vm
from anka_agent.plan.responsiveness import fail_stuck, must_answer
from support.objects import instance

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def vm(status: str = "running", up: float | None = 60) -> Vm:
    """`up`: seconds since its start."""
    return Vm("u", "n", status, start_date=None if up is None else NOW - timedelta(seconds=up))


@pytest.mark.parametrize(
    ("phase", "seen", "expected"),
    [
        ("Started", vm(), True),
        ("Started", vm(up=30), True),
        ("Started", vm(up=29), False),
        ("Started", vm(up=-5), False),
        ("Started", vm(up=None), False),
        ("Started", vm("stopped"), False),
        ("Started", vm("suspended"), False),
        ("Started", None, False),
        ("Scheduling", vm(), False),
        ("Pushing", vm(), False),
        ("Stopped", vm(), False),
        ("Error", vm(), False),
    ],
)
def test_only_a_vm_in_use_that_has_been_up_for_long_enough(phase: str, seen: Vm | None, expected: bool) -> None:
    assert must_answer(instance(status={"phase": phase}), seen, NOW, 30) is expected


def test_what_is_deleted_need_not_answer() -> None:
    deleted: dict[str, Any] = {"deletionTimestamp": "2026-01-01T01:00:00Z"}
    assert not must_answer(instance(status={"phase": "Started"}, meta=deleted), vm(), NOW, 30)


def test_the_failure_says_how_long_was_waited() -> None:
    failure = fail_stuck(10.0)
    assert (failure.reason, failure.vm, failure.elsewhere) == ("VmStuck", "Stop", False)
    assert failure.message == "the VM answers no more: it did not run a command within 10 s"
