"""Central logs as REST shows and names them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from anka_crds.core.central_log import AGENT, instance_of, of_instance
from anka_crds.registry.models import RegistryLog
from anka_shim.translate import values
from anka_shim.translate.failure import Failure
from anka_shim.translate.times import rfc3339

FILE = "/logs/file"
MOST_BYTES = 64 << 20
USUAL_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which logs: all that fit, where something is not given."""

    node: str | None = None
    instance: str | None = None
    last_bytes: int = USUAL_BYTES


def read(query: dict[str, Any]) -> Wanted:
    """Raises Failure that names the parameter."""
    last_bytes = values.positive(query, "last_bytes") or USUAL_BYTES
    if last_bytes > MOST_BYTES:
        raise values.wrong("last_bytes", f"must be at most {MOST_BYTES}", last_bytes)
    return Wanted(values.text(query, "node_id"), values.text(query, "instance_id"), last_bytes)


def rows(logs: Iterable[RegistryLog], wanted: Wanted) -> list[dict[str, Any]]:
    return [_row(log) for log in sorted(logs, key=_order) if _fits(log, wanted)]


def one_of(logs: Iterable[RegistryLog], wanted: Wanted) -> RegistryLog | None:
    """The agent's log of a node, or that of an instance. Raises Failure when several fit."""
    if wanted.instance is None and wanted.node is None:
        raise Failure("node_id or instance_id: one of them is required")
    service = AGENT if wanted.instance is None else of_instance(wanted.instance)
    found = [log for log in logs if log.service == service and wanted.node in (None, log.machine_name)]
    if len(found) > 1:
        nodes = ", ".join(sorted(log.machine_name for log in found))
        raise Failure(f"node_id: is required, for the instance was on several nodes: {nodes}")
    return found[0] if found else None


def _order(log: RegistryLog) -> tuple[str, bool, str]:
    return log.machine_name, log.service != AGENT, log.service


def _fits(log: RegistryLog, wanted: Wanted) -> bool:
    return wanted.node in (None, log.machine_name) and wanted.instance in (None, instance_of(log.service))


def _row(log: RegistryLog) -> dict[str, Any]:
    instance = instance_of(log.service)
    which = {"node_id": log.machine_name, **({} if instance is None else {"instance_id": instance})}
    return {
        "node_id": log.machine_name,
        "instance_id": instance,
        "service": log.service,
        "size": log.size,
        "modified": rfc3339(log.modified) if log.modified else None,
        # What other services send there is listed, and read on the registry's disk.
        "file": f"{FILE}?{urlencode(which)}" if instance is not None or log.service == AGENT else None,
    }
