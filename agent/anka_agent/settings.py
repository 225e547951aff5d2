"""The agent's flags, with the names of `ankacluster join` where they mean the same."""

import os
import re
import sys
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from anka_agent.mac import hardware as host
from anka_crds.api import AnkaNode, defaults
from anka_crds.api.limits import MAX_VMS
from anka_crds.api.meta import ObjectMeta
from anka_crds.api.node import AnkaNodeSpec
from anka_crds.rules.naming import object_name
from anka_crds.rules.wording import describe_error
from anka_runtime.addresses import is_http_url
from anka_runtime.settings import RegistrySettings

_FLAGS = {"display_name": "name", "ram_override_gib": "ram_override", "reserve_space_percent": "reserve_space"}
"""Flags whose fields in the AnkaNode have other names."""
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def share_of_disk(size: str, disk: int) -> int:
    """`20GB` and the like, as `ankacluster join` takes them, in percent of a disk of `disk` bytes, rounded up.

    Raises ValueError."""
    found = re.fullmatch(r"([0-9]+)(?i:([KMGT])?)[Bb]", size.strip())
    if found is None:
        raise ValueError("is a share of the disk in percent, such as 20, or a size, such as 45GB")
    wanted = int(found[1]) * _UNITS[(found[2] or "").upper()]
    if wanted > disk:
        raise ValueError(f"is more than the disk has: {disk / 1e9:.0f} GB")
    return -(-100 * wanted // disk)


def default_state_dir() -> Path:
    if sys.platform == "darwin":
        library = Path("/") if os.geteuid() == 0 else Path.home()
        return library / "Library" / "Application Support" / "anka-agent"
    return Path.home() / ".local" / "state" / "anka-agent"


class AgentSettings(RegistrySettings):
    """Settings of the agent. Flags about the node apply when the AnkaNode is created; after that its spec counts."""

    node_name: str = Field(
        default="", validate_default=True, description="Name of the AnkaNode object; by default from the host name"
    )
    name: str = Field(default="", description="Display name of the node")
    host: str = Field(default="", description="Address at which VMs of this Mac are reached")
    groups: str = Field(default="", description="NodeGroups to join, by name or display name, separated by commas")
    max_vm_count: int = Field(
        default=defaults.MAX_VM_COUNT, ge=0, le=MAX_VMS, description="Maximum number of running VMs"
    )
    capacity_mode: Literal["number", "resource"] = Field(
        default=defaults.CAPACITY_MODE, description="What limits the VMs"
    )
    vcpu_override: int = Field(default=0, ge=0, le=1024, description="vCPUs to hand out; 0: computed")
    ram_override: int = Field(default=0, ge=0, le=65536, description="RAM in GiB to hand out; 0: computed")
    drain_mode: bool = Field(default=False, description="Take no new VMs")
    reserve_space: int = Field(
        default=defaults.RESERVE_SPACE_PERCENT,
        ge=0,
        le=100,
        description="Share of the disk that pulls leave free, in percent; or a size, such as 45GB",
    )
    vm_prefix: str = Field(default=defaults.VM_PREFIX, description="Prefix of the names of VMs")
    heartbeat: float = Field(
        default=defaults.HEARTBEAT_SECONDS,
        gt=0,
        description="Seconds between heartbeats; from 250 Macs on up to a fifth more",
    )
    lease_duration: int = Field(
        default=defaults.LEASE_DURATION_SECONDS,
        ge=1,
        validate_default=True,
        description="Seconds without heartbeat after which the node counts as Offline",
    )
    lease_namespace: str = Field(default=defaults.NODE_NAMESPACE, description="Namespace of the heartbeat Lease")
    state_dir: Path = Field(
        default_factory=default_state_dir, description="Directory of the state that survives a restart"
    )
    token_file: Path | None = Field(
        default=None, description="File of this Mac's token, which the agent renews; `anka-agent join` writes it"
    )
    token_seconds: int = Field(
        default=604_800, ge=600, le=2_592_000, description="Life of the tokens that the agent requests, in seconds"
    )
    registry_url: str | None = Field(
        default=None, description="URL of the Anka registry, which collects logs; without it they stay on the Mac"
    )
    disable_central_logging: bool = Field(default=False, description="Keep all logs on the Mac")
    anka: str = Field(default="anka", description="The anka command: a name in PATH, or a path")
    num_workers: int = Field(default=2, ge=1, le=64, description="Clones and starts at a time")
    network_timeout: float = Field(
        default=defaults.NETWORK_TIMEOUT_SECONDS, gt=0, description="Seconds that a started VM has to get an IP address"
    )
    secret_timeout: float = Field(
        default=60.0, ge=0, description="Seconds to wait for the right to read a Secret that an instance names"
    )
    enable_vm_monitor: bool = Field(
        default=False,
        description="Ask the VMs of instances whether they still answer, and fail the instance of one that does not",
    )
    vm_stuck_delay: float = Field(
        default=30.0, ge=1, le=86_400, description="Seconds between two checks of a VM, and from its start to the first"
    )
    vm_stuck_timeout: float = Field(
        default=10.0, ge=1, le=3600, description="Seconds that a VM has to run a command, else it is stuck"
    )
    poll: float = Field(default=2.0, gt=0, description="Seconds between two listings of the VMs")
    package_url: str = Field(
        default="",
        description="Download URL of the agent's versions, such as http://shim:8090/pkg/anka-agent-{version}.tar.gz",
    )
    package_key: str = Field(
        default="",
        description="Public key that must have signed them, as in an OpenSSH .pub file; without one, no signature is "
        "asked for",
    )
    update_seconds: float = Field(
        default=120.0, gt=0, description="Seconds that a new version of the agent has to come up"
    )
    health_host: str = Field(default="127.0.0.1", description="Address of /livez, /readyz and /metrics")
    health_port: int = Field(default=8082, ge=0, le=65535, description="Port of these; 0: a free one")

    @field_validator("heartbeat", mode="before")
    @classmethod
    def _seconds(cls, value: object) -> object:
        # `ankacluster join --heartbeat 5s`
        return value.removesuffix("s") if isinstance(value, str) else value

    @field_validator("vm_stuck_delay", "vm_stuck_timeout", mode="before")
    @classmethod
    def _duration(cls, value: object) -> object:
        # `ankacluster join --vm-stuck-delay 3500s`, `20m`, `5h`
        found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smh])", value) if isinstance(value, str) else None
        return value if found is None else float(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]]

    @field_validator("reserve_space", mode="before")
    @classmethod
    def _percent(cls, value: object) -> object:
        if isinstance(value, str) and value[-1:] in ("B", "b"):
            return share_of_disk(value, host.disk_bytes(Path.home()))
        return value.removesuffix("%") if isinstance(value, str) else value

    @field_validator("vm_prefix")
    @classmethod
    def _with_dash(cls, value: str) -> str:
        # As in `ankacluster join` since 1.50: it adds the dash, and an empty prefix is the usual one.
        return (value if value.endswith("-") else f"{value}-") if value else defaults.VM_PREFIX

    @field_validator("lease_duration")
    @classmethod
    def _longer_than_heartbeat(cls, value: int, info: ValidationInfo) -> int:
        heartbeat = info.data.get("heartbeat")
        if heartbeat is not None and heartbeat >= value:
            raise ValueError(f"must be more than --heartbeat ({heartbeat:g} s)")
        return value

    @field_validator("package_url")
    @classmethod
    def _names_a_package(cls, value: str) -> str:
        if value and not (is_http_url(value) and "{version}" in value):
            raise ValueError("must begin with http:// or https:// and have {version} where the version goes")
        return value

    @field_validator("package_key")
    @classmethod
    def _is_public_key(cls, value: str) -> str:
        key = value.strip()
        if key and not re.fullmatch(r"[a-z0-9@.-]+ AAAA[A-Za-z0-9+/]+={0,3}( [ -~]*)?", key):
            raise ValueError("must be one line of an OpenSSH public key, such as: ssh-ed25519 AAAA… who")
        return key

    @field_validator("node_name")
    @classmethod
    def _usable_name(cls, value: str) -> str:
        object_name(value or host.host_name())
        return value

    @model_validator(mode="after")
    def _as_a_node(self) -> Self:
        try:
            self.node()
        except ValidationError as error:
            raise ValidationError.from_exception_data(
                error.title,
                [
                    InitErrorDetails(
                        type=PydanticCustomError("flag", "{text}", {"text": describe_error(details, AnkaNodeSpec)}),
                        loc=(_FLAGS.get(str(details["loc"][0]), details["loc"][0]),),
                        input=details["input"],
                    )
                    for details in error.errors()
                ],
            ) from None
        return self

    @property
    def kube_name(self) -> str:
        """Name of the AnkaNode and of the Lease."""
        return object_name(self.node_name or host.host_name())

    def node(self) -> AnkaNode:
        """The AnkaNode that these flags describe. Raises ValueError for what the API would refuse."""
        groups = [group.strip() for group in self.groups.split(",") if group.strip()]
        return AnkaNode(
            metadata=ObjectMeta(name=self.kube_name),
            spec=AnkaNodeSpec(
                display_name=self.name or None,
                host=self.host or None,
                groups=list(dict.fromkeys(groups)),
                capacity_mode=self.capacity_mode,
                max_vm_count=self.max_vm_count,
                vcpu_override=self.vcpu_override or None,
                ram_override_gib=self.ram_override or None,
                drain_mode=self.drain_mode,
                reserve_space_percent=self.reserve_space,
                vm_prefix=self.vm_prefix,
                disable_central_logging=self.disable_central_logging,
            ),
        )


class ShowSettings(AgentSettings):
    """Flags of the agent, and the form of the output."""

    machine_readable: bool = Field(default=False, description="Print JSON")
