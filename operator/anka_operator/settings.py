"""Settings of the operator: flags, or environment ANKA_<NAME>."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from anka_crds.api import defaults
from anka_runtime.addresses import is_http_url
from anka_runtime.header_lines import parse_headers
from anka_runtime.secret_file import read_secret
from anka_runtime.settings import ClusterRegistrySettings
from anka_scheduler.score import Placement


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
    enable_event_log: bool = Field(
        default=False,
        description="Write the event log: what REST, kubectl and Macs did, to the registry if there is one, and to "
        "--event-log-url. The old controller's ANKA_ENABLE_EVENT_LOGGING.",
    )
    event_log_url: str | None = Field(
        default=None,
        description="URL that gets each line of the event log as a POST. The old controller's ANKA_EVENT_LOG_URL.",
    )
    event_log_headers_file: Path | None = Field(
        default=None,
        description="File with headers of these POSTs, such as Authorization, as `Name: value`, one a line. It is read "
        "again when it changes.",
    )
    event_log_format: Literal["json", "cloudevents"] = Field(
        default="json", description="What is sent there: the line itself, or a CloudEvent (structured) around it."
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
    make_access_secret: bool = Field(
        default=False,
        description=f"Make the Secret {defaults.ACCESS_SECRET} with a root token, a seal key and a peer key for the "
        "shim, while there is none in --namespace. It is never changed: to get other keys, delete it.",
    )
    enable_resource_permissions: bool = Field(
        default=False,
        description="Whether instances and distributions that name a permission group get only the Macs that its "
        "resources permit.",
    )
    health_host: str = Field(default="0.0.0.0", description="Address of /livez, /readyz and /metrics.")  # noqa: S104
    health_port: int = Field(default=8081, ge=0, le=65535, description="Port of these; 0 takes a free one and logs it.")

    @field_validator("agent_updates")
    @classmethod
    def _is_number_or_share(cls, text: str) -> str:
        if not re.fullmatch(r"[1-9][0-9]{0,5}|[1-9][0-9]?%|100%", text):
            raise ValueError("must be a number of Macs from 1, or a percentage from 1% to 100%")
        return text

    @field_validator("event_log_url")
    @classmethod
    def _is_event_log_url(cls, url: str | None) -> str | None:
        if not url:
            return None
        if not is_http_url(url):
            raise ValueError("must begin with http:// or https://, and name a host")
        if "@" in urlsplit(url).netloc:
            raise ValueError("must have no user and password: they are headers, in --event-log-headers-file")
        return url

    @field_validator("event_log_headers_file")
    @classmethod
    def _are_headers(cls, file: Path | None) -> Path | None:
        if file is not None:
            parse_headers(read_secret(file, 1))
        return file

    @model_validator(mode="after")
    def _event_log_goes_somewhere(self) -> OperatorSettings:
        if self.event_log_headers_file is not None and not self.event_log_url:
            raise ValueError("--event-log-headers-file needs --event-log-url too: they are sent there")
        if self.event_log_url and not self.enable_event_log:
            raise ValueError("--event-log-url needs --enable-event-log too")
        if self.enable_event_log and not (self.event_log_url or self.registry_read_url):
            raise ValueError("--enable-event-log needs --registry-url or --event-log-url: where it is written")
        return self

    @model_validator(mode="after")
    def _leader_times(self) -> OperatorSettings:
        if not self.leader_retry_seconds < self.leader_renew_seconds < self.leader_lease_seconds:
            raise ValueError("--leader-retry-seconds < --leader-renew-seconds < --leader-lease-seconds is needed")
        return self
