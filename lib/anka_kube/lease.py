"""`coordination.k8s.io/v1` Leases: a holder, and the time of its last renewal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from anka_kube.resource import Resource
from anka_kube.unstructured import Meta


@dataclass(frozen=True, slots=True)
class Lease:
    """A Lease. Without a holder it is free."""

    metadata: Meta
    holder: str | None = None
    duration_seconds: int | None = None
    acquire_time: datetime | None = None
    renew_time: datetime | None = None
    transitions: int = 0

    @classmethod
    def parse(cls, data: dict[str, Any]) -> Lease:
        spec = data.get("spec") or {}
        return cls(
            metadata=Meta.parse(data["metadata"]),
            holder=spec.get("holderIdentity") or None,
            duration_seconds=spec.get("leaseDurationSeconds"),
            acquire_time=_time(spec.get("acquireTime")),
            renew_time=_time(spec.get("renewTime")),
            transitions=spec.get("leaseTransitions") or 0,
        )

    def dump(self) -> dict[str, Any]:
        spec = {
            "holderIdentity": self.holder,
            "leaseDurationSeconds": self.duration_seconds,
            "acquireTime": micro_time(self.acquire_time) if self.acquire_time else None,
            "renewTime": micro_time(self.renew_time) if self.renew_time else None,
            "leaseTransitions": self.transitions,
        }
        return {
            "metadata": self.metadata.dump(),
            "spec": {key: value for key, value in spec.items() if value is not None},
        }


LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease", True, Lease.parse, Lease.dump)

CHALLENGER = "anka.veertu.com/challenger"
"""Annotation of a Lease: who else claims it. It is written again and again while that lasts."""


def micro_time(moment: datetime) -> str:
    """metav1.MicroTime: the apiserver requires exactly six digits of a second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
