"""Which central logs a request is about. Pure."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, Field

from anka_crds.rules.central_log import AGENT, READABLE, to_instance_id
from anka_registry.models import RegistryLog
from anka_shim.failure import Failure
from anka_shim.http.parameter_types import Positive, Text, wrong_value
from anka_shim.http.request import RequestModel, option
from anka_shim.times import epoch

MAX_BYTES = 64 << 20
DEFAULT_BYTES = 16 << 20
FIRST_BYTES = 64 << 10
"""Of a log that is followed: some hundred lines."""


class LogQuery(RequestModel):
    """A parameter that is not given matches all logs."""

    node_id: Text = option("Of this node.")
    instance_id: Text = option("Of this instance.")


def _check_bytes(last_bytes: int | None) -> int:
    if last_bytes is not None and last_bytes > MAX_BYTES:
        raise wrong_value(f"must be at most {MAX_BYTES}", last_bytes)
    return last_bytes or DEFAULT_BYTES


def _check_service(service: str | None) -> str | None:
    if service is not None and service not in READABLE:
        raise wrong_value(f"must be one of {', '.join(READABLE)}", service)
    return service


class OneLogQuery(LogQuery):
    service: Annotated[Text, AfterValidator(_check_service)] = option(
        "Process whose log it is, where no instance_id is given: anka_agent if empty, anka_operator or anka_shim; "
        "or event, the event log, on node event."
    )


class LogFileQuery(OneLogQuery):
    last_bytes: Annotated[Positive, AfterValidator(_check_bytes)] = Field(
        default=DEFAULT_BYTES,
        description="No more than the end of it.",
        json_schema_extra={"minimum": 1, "maximum": MAX_BYTES},
    )


def _check_first_bytes(last_bytes: int | None) -> int:
    if last_bytes is not None and last_bytes > MAX_BYTES:
        raise wrong_value(f"must be at most {MAX_BYTES}", last_bytes)
    return last_bytes or FIRST_BYTES


class LogStreamQuery(OneLogQuery):
    last_bytes: Annotated[Positive, AfterValidator(_check_first_bytes)] = Field(
        default=FIRST_BYTES,
        description="How much of what is there already comes first.",
        json_schema_extra={"minimum": 1, "maximum": MAX_BYTES},
    )


def select(logs: Iterable[RegistryLog], query: LogQuery, namespace: str) -> list[RegistryLog]:
    """Sorted by node: the agent's own log first. `namespace`: where REST makes instances."""
    found = [
        log
        for log in logs
        if query.node_id in (None, log.machine_name)
        and query.instance_id in (None, to_instance_id(log.service, namespace))
    ]
    return sorted(found, key=lambda log: (log.machine_name, log.service != AGENT, log.service))


def select_one(logs: Iterable[RegistryLog], query: OneLogQuery, namespace: str) -> RegistryLog | None:
    """The log of a process on a node, or that of an instance: on one Mac the latest, if a name was used again. Raises
    Failure if it was on several nodes."""
    if query.instance_id is None and query.node_id is None:
        raise Failure("node_id or instance_id: one of them is required")
    found = select(logs, query, namespace)
    if query.instance_id is None:
        service = query.service or AGENT
        return next((log for log in found if log.service == service), None)
    if len({log.machine_name for log in found}) > 1:
        nodes = ", ".join(sorted({log.machine_name for log in found}))
        raise Failure(f"node_id: is required, for the instance was on several nodes: {nodes}")
    return max(found, key=lambda log: epoch(log.modified), default=None)
