"""Settings of the API shim: flags, or environment ANKA_<NAME>."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from anka_crds.process.settings import RegistryUser
from anka_shim.rest.edge import AccessLog
from anka_shim.rest.rate import parsed
from anka_shim.version import package_version


class ShimSettings(RegistryUser):
    """Serves the REST API of the old Anka controller from the custom resources of a Kubernetes cluster.

    The API has NO AUTHENTICATION yet: whoever reaches its port can start and end VMs. It listens on this machine only
    unless --host says otherwise.
    """

    namespace: str = Field(
        default="anka-ci",
        min_length=1,
        max_length=63,
        pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
        description="Namespace in which instances are created. Those of all namespaces are shown.",
    )
    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="Address to listen on. There is no authentication yet: keep others away from it.",
    )
    port: int = Field(default=8090, ge=0, le=65535, description="Port to listen on; 0 takes a free one and logs it.")
    license: str = Field(default="enterprise plus", description="Licence that is reported to clients.")
    controller_version: str = Field(
        default="1.50.1",
        pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$",
        description="Version of the old controller whose API this is: scripts compare it.",
    )
    max_count: int = Field(default=100, ge=1, le=10_000, description="Most instances that one request may start.")
    max_body_bytes: int = Field(default=1_048_576, ge=1024, description="Longest request body.")
    max_in_flight: int = Field(default=2000, ge=1, description="Most requests worked on at a time.")
    write_seconds: float = Field(
        default=4.0, gt=0, le=60, description="Longest time that a request waits for the Kubernetes API, in seconds."
    )
    batch_seconds: float = Field(
        default=25.0,
        gt=0,
        le=60,
        description="The same for a request that starts several: --write-seconds is then the longest time without "
        "another one.",
    )
    terminated_seconds: float = Field(
        default=60.0, ge=0, le=86_400, description="How long an instance is shown as Terminated after it is gone."
    )
    peers: str = Field(
        default="",
        description="Where the replicas of this shim answer: host:port, several with commas between them. Names stand "
        "for all their addresses; this replica may be among them.",
    )
    peer_seconds: float = Field(
        default=0.25, gt=0, le=2, description="Longest time that a write waits for the other replicas to see it."
    )
    dedupe_external_id_seconds: float = Field(
        default=0.0,
        ge=0,
        le=86_400,
        description="How long a start request with the same external_id and content counts as a repeat: it gives the "
        "same ids and starts nothing. 0 for never.",
    )
    agent_version: str = Field(
        default_factory=package_version,
        min_length=1,
        max_length=64,
        description="Version of the agent that node/update asks all nodes for; this package's own if not given.",
    )
    pkg_dir: Path | None = Field(
        default=None, description="Directory whose files /pkg offers: AnkaAgent.pkg, AnkaAgentArm.pkg."
    )
    rate_limit: str = Field(
        default="",
        description="Most requests of one client address, such as 50/second; more get HTTP 429. No limit if empty.",
    )
    trusted_proxies: str = Field(
        default="",
        description="Addresses or networks whose X-Forwarded-For is believed, with commas between them; none if empty.",
    )
    keep_alive_seconds: int = Field(
        default=150, ge=1, description="How long an idle connection is kept; Jenkins reuses them for 120 s."
    )
    drain_seconds: float = Field(
        default=2.0, ge=0, description="On SIGTERM: time between becoming not ready and the end of listening."
    )
    access_log: AccessLog = Field(
        default="changes",
        description="Which requests are logged: all; changes, that is all but GETs that went well; none.",
    )

    @field_validator("pkg_dir")
    @classmethod
    def _is_directory(cls, directory: Path | None) -> Path | None:
        if directory is not None and not directory.is_dir():
            raise ValueError("is not a directory")
        return directory

    @field_validator("rate_limit")
    @classmethod
    def _is_rule(cls, rule: str) -> str:
        if rule:
            parsed(rule)
        return rule

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, proxies: str) -> str:
        """`*` is everybody."""
        for entry in filter(None, (part.strip() for part in proxies.split(","))):
            if entry != "*":
                ip_network(entry)
        return proxies

    @field_validator("peers")
    @classmethod
    def _are_addresses(cls, peers: str) -> str:
        _addresses(peers)
        return peers

    @property
    def peer_addresses(self) -> list[tuple[str, int]]:
        """Host and port of each entry of `peers`."""
        return _addresses(self.peers)


def _addresses(text: str) -> list[tuple[str, int]]:
    """Raises ValueError that names the entry."""
    found = []
    for entry in filter(None, (part.strip() for part in text.split(","))):
        try:
            parts = urlsplit(f"//{entry}")
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
        if not host or not port or parts.netloc != entry:
            raise ValueError(f"must be host:port, several with commas between them, not {entry!r}")
        found.append((host, port))
    return found
