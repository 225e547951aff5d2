from __future__ import annotations

import pytest

from anka_crds.api.node import MacUsage
from anka_crds.rules.lease_usage import USAGE, parse_usage, to_annotations


def test_what_is_written_is_read_again() -> None:
    usage = MacUsage(vm_count=2, cpu_percent=40, ram_percent=7, free_disk_bytes=10**12)
    assert parse_usage({"other": "x"} | to_annotations(usage)) == usage


@pytest.mark.parametrize("annotations", [{}, {USAGE: ""}, {USAGE: "[]"}, {USAGE: '{"cpuPercent": 900}'}])
def test_what_cannot_be_read_is_none(annotations: dict[str, str]) -> None:
    assert parse_usage(annotations) is None
