"""Which of the central logs a request is about."""

from __future__ import annotations

import pytest

from anka_crds.rules.central_log import to_service
from anka_registry.models import RegistryLog
from anka_shim.failure import Failure
from anka_shim.logs.request import DEFAULT_BYTES, MAX_BYTES, LogFileQuery, LogQuery, select, select_one
from support.rest import read


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
    log("anka_shim", "mac-1"),
]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({}, (None, None, DEFAULT_BYTES)),
        ({"node_id": "", "instance_id": "", "last_bytes": ""}, (None, None, DEFAULT_BYTES)),
        ({"node_id": "mac-1", "last_bytes": "100"}, ("mac-1", None, 100)),
        ({"instance_id": "i1", "last_bytes": "0"}, (None, "i1", DEFAULT_BYTES)),
        ({"last_bytes": str(MAX_BYTES)}, (None, None, MAX_BYTES)),
    ],
)
def test_what_is_meant(query: dict[str, str], wanted: tuple[str | None, str | None, int]) -> None:
    found = read(LogFileQuery, query)
    assert (found.node_id, found.instance_id, found.last_bytes) == wanted


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("-1", "last_bytes: must not be negative (given: -1)"),
        ("x", "last_bytes: must be an integer (given: 'x')"),
        (str(MAX_BYTES + 1), f"last_bytes: must be at most {MAX_BYTES} (given: {MAX_BYTES + 1})"),
    ],
)
def test_bad_sizes(value: str, says: str) -> None:
    with pytest.raises(Failure) as caught:
        read(LogFileQuery, {"last_bytes": value})
    assert caught.value.message == says


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (
            LogQuery(),
            ["c anka-controller", "mac-1 anka_agent", "mac-1 anka_shim", "mac-1 instance-i1", "mac-1 instance-i2",
             "mac-2 anka_agent", "mac-2 instance-i1"],
        ),
        (LogQuery(node_id="mac-2"), ["mac-2 anka_agent", "mac-2 instance-i1"]),
        (LogQuery(instance_id="i1"), ["mac-1 instance-i1", "mac-2 instance-i1"]),
        (LogQuery(node_id="mac-2", instance_id="i2"), []),
    ],
)  # fmt: skip
def test_select(query: LogQuery, found: list[str]) -> None:
    assert [f"{log.machine_name} {log.service}" for log in select(LOGS, query, "anka-ci")] == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (LogFileQuery(node_id="mac-1"), ("anka_agent", "mac-1")),
        (LogFileQuery(node_id="mac-2", instance_id="i1"), ("instance-i1", "mac-2")),
        (LogFileQuery(instance_id="i2"), ("instance-i2", "mac-1")),
        (LogFileQuery(node_id="mac-3"), None),
        (LogFileQuery(node_id="mac-2", instance_id="i2"), None),
    ],
)
def test_one_of_them(query: LogFileQuery, found: tuple[str, str] | None) -> None:
    one = select_one(LOGS, query, "anka-ci")
    assert (None if one is None else (one.service, one.machine_name)) == found


@pytest.mark.parametrize(
    ("query", "says"),
    [
        (LogFileQuery(), "node_id or instance_id: one of them is required"),
        (LogFileQuery(instance_id="i1"), "node_id: is required, for the instance was on several nodes: mac-1, mac-2"),
    ],
)
def test_not_one_of_them(query: LogFileQuery, says: str) -> None:
    with pytest.raises(Failure) as caught:
        select_one(LOGS, query, "anka-ci")
    assert caught.value.message == says


def test_the_log_of_another_process() -> None:
    assert select_one(LOGS, read(LogFileQuery, {"node_id": "mac-1", "service": "anka_shim"}), "anka-ci") == LOGS[-1]
    assert select_one(LOGS, read(LogFileQuery, {"node_id": "mac-1", "service": "anka_operator"}), "anka-ci") is None
    with pytest.raises(Failure) as caught:
        read(LogFileQuery, {"node_id": "c", "service": "anka-controller"})
    says = "service: must be one of anka_agent, anka_operator, anka_shim, event (given: 'anka-controller')"
    assert caught.value.message == says


UUID, MINE, LATER, FOREIGN = (f"{number}983c3bf-a0c0-43dc-54dc-2fd9f7d62fce" for number in range(4))


def used(uid: str, namespace: str, modified: int) -> RegistryLog:
    """Of an instance with this name there."""
    service = to_service(namespace, UUID, uid)
    return RegistryLog.model_validate({"service": service, "machine_name": "mac-1", "modified": modified})


def test_an_instance_of_another_namespace_has_a_log_of_its_own() -> None:
    mine, foreign = used(MINE, "anka-ci", 1), used(FOREIGN, "other", 2)
    logs = [mine, foreign]
    assert select(logs, LogQuery(instance_id=UUID), "anka-ci") == [mine]
    assert select(logs, LogQuery(instance_id=FOREIGN), "anka-ci") == [foreign]
    assert select_one(logs, LogFileQuery(instance_id=UUID), "anka-ci") == mine


def test_a_name_that_was_used_again_means_the_latest() -> None:
    before, now = used(MINE, "anka-ci", 1), used(LATER, "anka-ci", 2)
    assert select_one([now, before], LogFileQuery(instance_id=UUID), "anka-ci") == now
    assert len(select([now, before], LogQuery(instance_id=UUID), "anka-ci")) == 2
