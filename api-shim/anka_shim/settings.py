"""Settings of the API shim: flags, or environment ANKA_<NAME>."""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, TypeAdapter, ValidationError, field_validator, model_validator

from anka_crds.api.defaults import CI_NAMESPACE, JOINING_NAMESPACE, NODE_NAMESPACE
from anka_crds.api.fields import RegistryUrl
from anka_crds.api.limits import MAX_SECONDS
from anka_runtime.secret_file import SHORTEST_TOKEN, read_secret
from anka_runtime.version import package_version
from anka_scheduler.score import Placement
from anka_shim.access.certificate_settings import CertificateSettings, split
from anka_shim.access.seal_file import SHORTEST_SEAL_KEY, read_seal_keys
from anka_shim.http.cross_origin import parse_origins
from anka_shim.http.edge import AccessLog
from anka_shim.http.rate import parse_rule

SHORTEST_KEY = 32
"""Characters of the key that replicas share."""

_HOST_NAME = re.compile(r"\*|(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?")


class ShimSettings(CertificateSettings):
    """Serves the REST API of the old Anka controller from the custom resources of a Kubernetes cluster.

    Without --enable-auth, anything that reaches its port can start and end VMs. It listens on this machine only
    unless --host says otherwise.
    """

    namespace: str = Field(
        default=CI_NAMESPACE,
        min_length=1,
        max_length=63,
        description="Namespace in which instances are created. Those of all namespaces are shown.",
    )
    node_namespace: str = Field(
        default=NODE_NAMESPACE, min_length=1, description="Namespace of the nodes' Leases, which have their usage."
    )
    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="Address to listen on. Without --enable-auth, keep others away from it.",
    )
    port: int = Field(default=8090, ge=0, le=65535, description="Port to listen on; 0 takes a free one and logs it.")
    enable_auth: bool = Field(default=False, description="Answer only who logs in; needs --root-token-file.")
    root_token_file: Path | None = Field(
        default=None,
        description=f"File with the root token, at least {SHORTEST_TOKEN} characters: who has it may do everything. It "
        "is read again when it changes.",
    )
    enable_api_keys: bool = Field(
        default=False, description="Machines log in with API keys: serve /api/v1/apikey and /tap; needs --enable-auth."
    )
    seal_key_file: Path | None = Field(
        default=None,
        description=f"File with a random key of at least {SHORTEST_SEAL_KEY} characters a line, the same for all "
        "replicas: the first seals the handshakes and sessions of API keys, all are accepted. It is read again when it "
        "changes. Without --peers it may be left out.",
    )
    enable_authorization: bool = Field(
        default=False,
        description="Who has logged in may do what their permission groups say, and else nothing: serve "
        "/admin/api/v1/permission; needs --enable-auth.",
    )
    enable_resource_permissions: bool = Field(
        default=False,
        description="Members of permission groups see and use only what the resources of their groups permit; needs "
        "--enable-authorization, and the same flag of the operator.",
    )
    api_key_session_seconds: float = Field(
        default=300.0, ge=10, le=86_400, description="How long a login with an API key lasts, from its beginning."
    )
    api_key_sweep_seconds: float = Field(
        default=14_400.0, ge=1, le=86_400, description="Time between two removals of API keys that have expired."
    )
    manage_mac_addresses: bool = Field(
        default=False,
        description="Serve /api/v1/macaddr, and refuse a mac_address that an instance has, while there are "
        "MACAddressPools; the operator needs the same flag.",
    )
    push_registry: str | None = Field(
        default=None,
        description="URL of the registry that saved images are pushed to, as the Macs reach it; if not given, the one "
        "that the VM comes from. Macs log in there by what their anka has stored.",
    )
    license: str = Field(default="enterprise plus", description="Licence that is reported to clients.")
    controller_version: str = Field(
        default="1.50.1",
        description="Version of the old controller whose API this is: scripts compare it.",
    )
    max_count: int = Field(default=100, ge=1, le=10_000, description="Most instances that one request may start.")
    inline_script_bytes: int = Field(
        default=8192,
        ge=0,
        description="Startup scripts of a request that take more, in base64 and times its count, are stored once, in a "
        "Secret of the namespace; others in each instance.",
    )
    max_body_bytes: int = Field(
        default=1_048_576,
        ge=1024,
        description="Longest request body; also the most that one request may store, times its count.",
    )
    max_stored_bytes: int = Field(
        default=134_217_728,
        ge=1024,
        description="Bytes that instances, images, distributions, groups and API keys may take, scripts included: "
        "beyond it, nothing is made or enlarged by REST.",
    )
    max_waiting: int = Field(
        default=10_000, ge=1, description="Instances that may wait for a Mac: beyond it, none is started by REST."
    )
    max_waiting_per_client: int = Field(
        default=5000, ge=1, description="The same for those that one client address has started at this replica."
    )
    max_bodies_bytes: int = Field(
        default=134_217_728,
        ge=1024,
        description="Most memory that the bodies of all requests may take at a time, with what is parsed of them. The "
        "first 16 KiB of each do not count.",
    )
    max_in_flight: int = Field(default=2000, ge=1, description="Most requests worked on at a time.")
    max_connections: int = Field(
        default=1000,
        ge=1,
        le=100_000,
        description="Most connections of clients. There are 64 more for health checks, metrics and the other replicas.",
    )
    max_connections_per_client: int = Field(
        default=0,
        ge=0,
        le=100_000,
        description="Most connections of one address, which may be a proxy's; 0 for half of --max-connections.",
    )
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
    joining_namespace: str = Field(
        default=JOINING_NAMESPACE,
        min_length=1,
        description="Namespace of the ServiceAccounts of join tokens. As those of Macs, they have no right in REST.",
    )
    join_server_url: str | None = Field(
        default=None,
        pattern=r"^https://[^/\s?#@]+$",
        max_length=512,
        description="URL of the Kubernetes API as Macs reach it, such as https://cluster.example:6443: with it, the "
        "portal makes join tokens for new Macs. This process needs the right to create ServiceAccounts and their "
        "tokens in the namespace of join tokens, and who may configure nodes may let Macs in.",
    )
    join_ca_file: Path | None = Field(
        default=None,
        description="PEM file with the authority that signs the certificate of --join-server-url, for the lines that "
        "the portal shows; none where macOS trusts it.",
    )
    placement: Placement = Field(
        default=Placement.SPREAD,
        description="The operator's --placement: the portal explains with it which Mac an instance would get.",
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
    peer_key_file: Path | None = Field(
        default=None,
        description=f"File with a secret of at least {SHORTEST_KEY} characters that all replicas have: they sign what "
        "they ask each other, and believe nothing else. It is read again when it changes. Needed for --peers with "
        "--enable-auth.",
    )
    dedupe_external_id_seconds: float = Field(
        default=0.0,
        ge=0,
        le=86_400,
        description="How long a start request with the same external_id and content counts as a repeat: it gives the "
        "same ids and starts nothing. 0 for never.",
    )
    finished_seconds: int = Field(
        default=0,
        ge=0,
        le=MAX_SECONDS,
        description="Seconds that an instance of the REST API stays in Error or Stopped until it is deleted with its "
        "VM: for clients that leave them. 0 for ever.",
    )
    lifetime_seconds: int = Field(
        default=0,
        ge=0,
        le=MAX_SECONDS,
        description="How long after its start an instance of the REST API is deleted, whatever it does, in seconds. 0 "
        "for never.",
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
    allowed_hosts: str = Field(
        default="",
        description="Names by which clients reach this API, with commas between them, *.example.com for all below a "
        "domain, * for any: requests to another name are refused, since a web page can let its own name stand for this "
        "address. Addresses are always allowed. If empty: localhost while --host is this machine only, else any.",
    )
    allow_cors: str = Field(
        default="",
        description="Origins whose pages may use this API from a browser, such as https://portal.example.com, with "
        "commas between them; none if empty. Such a page needs credentials of its own.",
    )
    portal: bool = Field(default=True, description="Serve the portal at /portal/, to which browsers are led from /.")
    portal_max_tabs: int = Field(
        default=200,
        ge=1,
        le=10_000,
        description="Most tabs of browsers that may have the portal open at this replica; half of them for one user, "
        "or one address where nobody has to log in.",
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

    @field_validator("namespace")
    @classmethod
    def _is_namespace(cls, name: str) -> str:
        if not re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", name):
            raise ValueError("must be a namespace: lower-case letters, digits and '-', a letter or digit at both ends")
        return name

    @field_validator("push_registry")
    @classmethod
    def _is_registry(cls, url: str | None) -> str | None:
        if not url:
            return None
        try:
            TypeAdapter(RegistryUrl).validate_python(url)
        except ValidationError:
            raise ValueError("must be a URL that begins with http:// or https://, without a login in it") from None
        return url.rstrip("/")

    @field_validator("controller_version")
    @classmethod
    def _is_version(cls, version: str) -> str:
        if not re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", version):
            raise ValueError("must be three numbers with dots between them, such as 1.50.1")
        return version

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
            parse_rule(rule)
        return rule

    @field_validator("allowed_hosts")
    @classmethod
    def _are_names(cls, hosts: str) -> str:
        for entry in split(hosts):
            if not _HOST_NAME.fullmatch(entry):
                raise ValueError(f"must be names without scheme and port, with commas between them, not {entry!r}")
        return hosts

    @field_validator("allow_cors")
    @classmethod
    def _are_origins(cls, origins: str) -> str:
        parse_origins(origins)
        return origins

    @field_validator("peers")
    @classmethod
    def _are_addresses(cls, peers: str) -> str:
        _parse_addresses(peers)
        return peers

    @field_validator("peer_key_file")
    @classmethod
    def _is_long_key(cls, file: Path | None) -> Path | None:
        if file is not None:
            read_secret(file, SHORTEST_KEY)
        return file

    @field_validator("root_token_file")
    @classmethod
    def _is_long_enough(cls, file: Path | None) -> Path | None:
        if file is not None:
            read_secret(file, SHORTEST_TOKEN)
        return file

    @field_validator("seal_key_file")
    @classmethod
    def _has_long_keys(cls, file: Path | None) -> Path | None:
        if file is not None:
            read_seal_keys(file)
        return file

    @model_validator(mode="after")
    def _can_log_in_with_certificates(self) -> Self:
        if self.client_ca_file is not None and not self.enable_auth:
            raise ValueError("client-ca-file: needs --enable-auth, without which everybody may do everything")
        return self

    @model_validator(mode="after")
    def _can_log_in_with_keys(self) -> Self:
        if self.enable_api_keys and not self.enable_auth:
            raise ValueError("enable-api-keys: needs --enable-auth, without which everybody may do everything")
        if self.enable_api_keys and self.peers and self.seal_key_file is None:
            raise ValueError("enable-api-keys: needs --seal-key-file with --peers, as each replica checks all sessions")
        return self

    @model_validator(mode="after")
    def _knows_who_asks(self) -> Self:
        if self.enable_authorization and not self.enable_auth:
            raise ValueError("enable-authorization: needs --enable-auth, without which nobody says who they are")
        if self.enable_resource_permissions and not self.enable_authorization:
            raise ValueError(
                "enable-resource-permissions: needs --enable-authorization, without which nobody is in a group"
            )
        return self

    @model_validator(mode="after")
    def _can_log_in_with_tokens(self) -> Self:
        if self.enable_kubernetes_tokens and not self.enable_auth:
            raise ValueError("enable-kubernetes-tokens: needs --enable-auth, without which everybody may do everything")
        if self.oidc_provider_url and not self.enable_auth:
            raise ValueError("oidc-provider-url: needs --enable-auth, without which everybody may do everything")
        if self.oidc_provider_url and not self.oidc_client_id:
            raise ValueError("oidc-provider-url: needs --oidc-client-id: a token for somebody else must not be taken")
        if self.oidc_provider_url and not self.enable_authorization:
            raise ValueError("oidc-provider-url: needs --enable-authorization: else all whom it knows may do all")
        if self.has_browser_login and not self.site_url:
            raise ValueError("oidc-client-secret-file: needs --site-url, to which the provider sends browsers back")
        if self.has_browser_login and self.peers and self.seal_key_file is None:
            raise ValueError("oidc-client-secret-file: needs --seal-key-file with --peers, as each replica checks all")
        return self

    @model_validator(mode="after")
    def _has_root_token(self) -> Self:
        if self.enable_auth and self.root_token_file is None:
            raise ValueError("enable-auth: needs --root-token-file, with which the first other credentials are made")
        return self

    @model_validator(mode="after")
    def _has_peer_key(self) -> Self:
        if self.enable_auth and self.peers and self.peer_key_file is None:
            raise ValueError("peers: with --enable-auth, they need --peer-key-file: else anybody can answer for them")
        return self

    @model_validator(mode="after")
    def _fits_one_body(self) -> Self:
        if self.max_bodies_bytes < self.max_body_bytes:
            raise ValueError("max-bodies-bytes: must be at least max-body-bytes")
        return self

    @property
    def connections_per_client(self) -> int:
        return self.max_connections_per_client or max(1, self.max_connections // 2)

    @property
    def portal_tabs_per_client(self) -> int:
        return max(1, self.portal_max_tabs // 2)

    @property
    def host_names(self) -> list[str]:
        """By which this API may be reached, in small letters; empty for any."""
        names = split(self.allowed_hosts.lower())
        if "*" in names:
            return []
        return names or (["localhost"] if _is_loopback(self.host) else [])

    @property
    def peer_addresses(self) -> list[tuple[str, int]]:
        """Host and port of each entry of `peers`."""
        return _parse_addresses(self.peers)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _parse_addresses(text: str) -> list[tuple[str, int]]:
    """Raises a ValueError that names the entry."""
    found = []
    for entry in split(text):
        try:
            parts = urlsplit(f"//{entry}")
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
        if not host or not port or parts.netloc != entry:
            raise ValueError(f"must be host:port, several with commas between them, not {entry!r}")
        found.append((host, port))
    return found
