"""Settings of the operator: flags, or environment ANKA_<NAME>."""

from __future__ import annotations

import os
import re
import socket

from pydantic import Field, field_validator, model_validator

from anka_crds.api import defaults
from anka_operator.scheduler.score import Placement
from anka_runtime.settings import ClusterRegistrySettings


class OperatorSettings(ClusterRegistrySettings):
    """Schedules Anka instances, keeps the state of nodes, mirrors the registry's templates and cleans up.

    `anka-operator explain -f FILE` shows which node an instance would get, and if none, why.
    """

    namespace: str = Field(
        default=defaults.SYSTEM_NAMESPACE, min_length=1, description="Namespace of the leader's Lease."
    )
    lease_name: str = Field(default="anka-operator", min_length=1, description="Name of the leader's Lease.")
    node_namespace: str = Field(
        default=defaults.NODE_NAMESPACE, min_length=1, description="Namespace of the nodes' Leases and ServiceAccounts."
    )
    joining_namespace: str = Field(
        default=defaults.JOINING_NAMESPACE, min_length=1, description="Namespace of the ServiceAccounts of join tokens."
    )
    identity: str = Field(
        default_factory=lambda: f"{socket.gethostname()}_{os.getpid()}",
        min_length=1,
        description="Name of this process in the leader's Lease: no other may have it.",
    )
    registry_seconds: float = Field(
        default=defaults.REGISTRY_SECONDS,
        gt=0,
        description="Time between two reads of the registry's list of templates.",
    )
    node_lost_seconds: float = Field(
        default=defaults.NODE_LOST_SECONDS,
        ge=0,
        description="How long a node must be Offline before its instances fail or start elsewhere.",
    )
    heartbeat_seconds: float = Field(
        default=defaults.LEASE_DURATION_SECONDS,
        ge=1,
        description="Time that a node without a Lease has to create one before it is Offline.",
    )
    placement: Placement = Field(
        default=Placement.SPREAD,
        description="The choice among Macs that are otherwise equal: spread takes the emptiest, pack the fullest.",
    )
    agent_updates: str = Field(
        default="10%",
        description="How many Macs may update their agent at a time: a number, or a percentage; at least 1.",
    )
    agent_update_failures: int = Field(
        default=2, ge=1, description="Number of failed Macs at which the rollout of a version ends."
    )
    leader_lease_seconds: float = Field(
        default=defaults.LEADER_LEASE_SECONDS,
        ge=1,
        description="How long a leader that does not renew keeps the Lease.",
    )
    leader_renew_seconds: float = Field(
        default=defaults.LEADER_RENEW_SECONDS,
        gt=0,
        description="A leader that cannot renew for this long stands by; less than leader-lease-seconds.",
    )
    leader_retry_seconds: float = Field(
        default=defaults.LEADER_RETRY_SECONDS, gt=0, description="Time between two attempts to lead or renew."
    )
    manage_mac_addresses: bool = Field(
        default=False,
        description="Whether each instance gets a MAC address of its own, of the MACAddressPools, while there are any.",
    )
    health_host: str = Field(default="0.0.0.0", description="Address of /livez, /readyz and /metrics.")  # noqa: S104
    health_port: int = Field(default=8081, ge=0, le=65535, description="Port of these; 0 takes a free one and logs it.")

    @field_validator("agent_updates")
    @classmethod
    def _is_number_or_share(cls, text: str) -> str:
        if not re.fullmatch(r"[1-9][0-9]{0,5}|[1-9][0-9]?%|100%", text):
            raise ValueError("must be a number of Macs from 1, or a percentage from 1% to 100%")
        return text

    @model_validator(mode="after")
    def _leader_times(self) -> OperatorSettings:
        if not self.leader_retry_seconds < self.leader_renew_seconds < self.leader_lease_seconds:
            raise ValueError("--leader-retry-seconds < --leader-renew-seconds < --leader-lease-seconds is needed")
        return self
