"""Which of the central logs are shown, and how."""

from __future__ import annotations

import pytest

from anka_crds.registry.models import RegistryLog
from anka_shim.schema.log import LogFile
from anka_shim.translate.failure import Failure
from anka_shim.translate.log import MOST_BYTES, USUAL_BYTES, Wanted, one_of, read, rows


def log(service: str, machine: str, size: int = 5) -> RegistryLog:
    return RegistryLog.model_validate(
        {"service": service, "machine_name": machine, "size": size, "modified": 1_700_000_000}
    )


LOGS = [
    log("instance-i1", "mac-1"),
    log("instance-i1", "mac-2"),
    log("anka_agent", "mac-2"),
    log("anka_agent", "mac-1"),
    log("instance-i2", "mac-1"),
    log("anka-controller", "c"),
]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({}, Wanted()),
        ({"node_id": "", "instance_id": "", "last_bytes": ""}, Wanted()),
        ({"node_id": "mac-1", "last_bytes": "100"}, Wanted("mac-1", None, 100)),
        ({"instance_id": "i1", "last_bytes": "0"}, Wanted(None, "i1", USUAL_BYTES)),
        ({"last_bytes": str(MOST_BYTES)}, Wanted(None, None, MOST_BYTES)),
    ],
)
def test_read(query: dict[str, str], wanted: Wanted) -> None:
    assert read(query) == wanted


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("-1", "last_bytes: must not be negative (given: -1)"),
        ("x", "last_bytes: must be an integer (given: 'x')"),
        (str(MOST_BYTES + 1), f"last_bytes: must be at most {MOST_BYTES} (given: {MOST_BYTES + 1})"),
    ],
)
def test_bad_sizes(value: str, says: str) -> None:
    with pytest.raises(Failure) as caught:
        read({"last_bytes": value})
    assert caught.value.message == says


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        (
            Wanted(),
            ["c anka-controller", "mac-1 anka_agent", "mac-1 instance-i1", "mac-1 instance-i2", "mac-2 anka_agent",
             "mac-2 instance-i1"],
        ),
        (Wanted(node="mac-2"), ["mac-2 anka_agent", "mac-2 instance-i1"]),
        (Wanted(instance="i1"), ["mac-1 instance-i1", "mac-2 instance-i1"]),
        (Wanted(node="mac-2", instance="i2"), []),
    ],
)  # fmt: skip
def test_rows(wanted: Wanted, shown: list[str]) -> None:
    found = rows(LOGS, wanted)
    assert [f"{row['node_id']} {row['service']}" for row in found] == shown
    for row in found:
        LogFile.model_validate(row)


def test_a_row_says_where_its_content_is() -> None:
    agent, instance = rows([log("anka_agent", "mac 1"), log("instance-i1", "mac-1")], Wanted())
    assert (agent["file"], agent["instance_id"]) == ("/logs/file?node_id=mac+1", None)
    assert (instance["file"], instance["instance_id"]) == ("/logs/file?node_id=mac-1&instance_id=i1", "i1")
    assert instance["modified"] == "2023-11-14T22:13:20Z"
    (other,) = rows([log("event", "c")], Wanted())
    assert other["file"] is None


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(node="mac-1"), ("anka_agent", "mac-1")),
        (Wanted(node="mac-2", instance="i1"), ("instance-i1", "mac-2")),
        (Wanted(instance="i2"), ("instance-i2", "mac-1")),
        (Wanted(node="mac-3"), None),
        (Wanted(node="mac-2", instance="i2"), None),
    ],
)
def test_one_of_them(wanted: Wanted, found: tuple[str, str] | None) -> None:
    one = one_of(LOGS, wanted)
    assert (None if one is None else (one.service, one.machine_name)) == found


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (Wanted(), "node_id or instance_id: one of them is required"),
        (Wanted(instance="i1"), "node_id: is required, for the instance was on several nodes: mac-1, mac-2"),
    ],
)
def test_not_one_of_them(wanted: Wanted, says: str) -> None:
    with pytest.raises(Failure) as caught:
        one_of(LOGS, wanted)
    assert caught.value.message == says
