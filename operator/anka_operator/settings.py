"""Settings of the operator: flags, or environment ANKA_<NAME>."""

from __future__ import annotations

import os
import socket

from pydantic import Field, model_validator

from anka_crds.process.settings import RegistryUser
from anka_operator.scheduler.score import Placement


class OperatorSettings(RegistryUser):
    """Schedules Anka instances, judges nodes, mirrors the registry's templates and cleans up.

    `anka-operator explain -f FILE` says where an instance would go, and if nowhere, why.
    """

    namespace: str = Field(default="anka-system", min_length=1, description="Namespace of the leader's Lease.")
    lease_name: str = Field(default="anka-operator", min_length=1, description="Name of the leader's Lease.")
    node_namespace: str = Field(default="anka-nodes", min_length=1, description="Namespace of the nodes' Leases.")
    identity: str = Field(
        default_factory=lambda: f"{socket.gethostname()}_{os.getpid()}",
        min_length=1,
        description="Name under which this process stands for leadership.",
    )
    registry_seconds: float = Field(default=30.0, gt=0, description="How often the registry is read.")
    node_lost_seconds: float = Field(
        default=300.0, ge=0, description="How long a node must be Offline before its instances are given up."
    )
    heartbeat_seconds: float = Field(
        default=40.0, ge=1, description="How long a node without a Lease of its own is waited for."
    )
    placement: Placement = Field(
        default=Placement.SPREAD,
        description="Among Macs that are equal otherwise: spread takes the emptiest, pack the fullest.",
    )
    agent_updates: str = Field(
        default="10%",
        pattern=r"^[1-9][0-9]{0,5}$|^[1-9][0-9]?%$|^100%$",
        description="How many Macs may update their agent at a time: a number, or a percentage; at least 1.",
    )
    agent_update_failures: int = Field(
        default=2, ge=1, description="So many Macs that failed to update to a version end its rollout."
    )
    leader_lease_seconds: float = Field(default=15.0, ge=1, description="How long a silent leader keeps its place.")
    leader_renew_seconds: float = Field(
        default=10.0, gt=0, description="A leader that could not renew for this long ends: less than the above."
    )
    leader_retry_seconds: float = Field(default=2.0, gt=0, description="Time between two tries to lead, or to renew.")
    health_host: str = Field(default="0.0.0.0", description="Address of /livez, /readyz and /metrics.")  # noqa: S104
    health_port: int = Field(default=8081, ge=0, le=65535, description="Port of them; 0 takes a free one and logs it.")

    @model_validator(mode="after")
    def _leader_times(self) -> OperatorSettings:
        if not self.leader_retry_seconds < self.leader_renew_seconds < self.leader_lease_seconds:
            raise ValueError("--leader-retry-seconds < --leader-renew-seconds < --leader-lease-seconds is needed")
        return self
