"""Settings of the operator: flags, or environment ANKA_<NAME>."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from anka_crds.process.settings import ProcessSettings


class OperatorSettings(ProcessSettings):
    """Schedules Anka instances, judges nodes, mirrors the registry's templates and cleans up."""

    kubeconfig: Path | None = Field(
        default=None, description="Kubeconfig of the cluster; else KUBECONFIG, else the pod's service account."
    )
    namespace: str = Field(default="anka-system", min_length=1, description="Namespace of the leader's Lease.")
    lease_name: str = Field(default="anka-operator", min_length=1, description="Name of the leader's Lease.")
    node_namespace: str = Field(default="anka-nodes", min_length=1, description="Namespace of the nodes' Leases.")
    identity: str = Field(
        default_factory=lambda: f"{socket.gethostname()}_{os.getpid()}",
        min_length=1,
        description="Name under which this process stands for leadership.",
    )
    registry_url: str | None = Field(
        default=None, description="URL of the Anka registry, such as http://registry:8089."
    )
    registry_seconds: float = Field(default=30.0, gt=0, description="How often the registry is read.")
    node_lost_seconds: float = Field(
        default=300.0, ge=0, description="How long a node must be Offline before its instances are given up."
    )
    heartbeat_seconds: float = Field(
        default=40.0, ge=1, description="How long a node without a Lease of its own is waited for."
    )
    leader_lease_seconds: float = Field(default=15.0, ge=1, description="How long a silent leader keeps its place.")
    leader_renew_seconds: float = Field(
        default=10.0, gt=0, description="A leader that could not renew for this long ends: less than the above."
    )
    leader_retry_seconds: float = Field(default=2.0, gt=0, description="Time between two tries to lead, or to renew.")
    health_host: str = Field(default="0.0.0.0", description="Address of /livez, /readyz and /metrics.")  # noqa: S104
    health_port: int = Field(default=8081, ge=0, le=65535, description="Port of them; 0 takes a free one and logs it.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="Least level logged.")
    log_format: Literal["json", "text"] = Field(default="json", description="One JSON object a line, or text.")

    @field_validator("registry_url")
    @classmethod
    def _is_url(cls, url: str | None) -> str | None:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return url.rstrip("/") if url else None

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, level: object) -> object:
        return level.upper() if isinstance(level, str) else level

    @model_validator(mode="after")
    def _leader_times(self) -> OperatorSettings:
        if not self.leader_retry_seconds < self.leader_renew_seconds < self.leader_lease_seconds:
            raise ValueError("--leader-retry-seconds < --leader-renew-seconds < --leader-lease-seconds is needed")
        return self
