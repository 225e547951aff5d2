"""The agent's flags; named as users of `ankacluster join` know them where they mean the same."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from anka_agent import host
from anka_crds.api import AnkaNode
from anka_crds.api.meta import ObjectMeta
from anka_crds.api.node import VM_PREFIX, AnkaNodeSpec
from anka_crds.core.naming import object_name
from anka_crds.process.settings import RegistryUser

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def share_of_disk(size: str, disk: int) -> int:
    """`20GB` and the like, as `ankacluster join` takes them, in percent of a disk of so many bytes, rounded up.

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


class AgentSettings(RegistryUser):
    """Settings of the agent. Flags about the node count when it joins for the first time; after that the AnkaNode
    object is what counts, and people change that."""

    node_name: str = Field(
        default="", validate_default=True, description="Name of the AnkaNode object; from the host name if absent"
    )
    name: str = Field(default="", description="Display name of the node")
    host: str = Field(default="", description="Address at which VMs of this Mac are reached")
    groups: str = Field(default="", description="NodeGroups to join, separated by commas")
    max_vm_count: Annotated[int, Field(ge=0, le=256)] = Field(default=2, description="Most VMs at a time")
    capacity_mode: Literal["number", "resource"] = Field(default="number", description="What limits the VMs")
    vcpu_override: Annotated[int, Field(ge=0, le=1024)] = Field(default=0, description="vCPUs to hand out; 0: computed")
    ram_override: Annotated[int, Field(ge=0, le=65536)] = Field(
        default=0, description="RAM in GiB to hand out; 0: computed"
    )
    drain_mode: bool = Field(default=False, description="Take no new VMs")
    reserve_space: Annotated[int, Field(ge=0, le=100)] = Field(
        default=20, description="Share of the disk that pulls leave free, in percent; or a size, such as 45GB"
    )
    vm_prefix: str = Field(default=VM_PREFIX, description="What names of VMs begin with")
    heartbeat: Annotated[float, Field(gt=0)] = Field(default=10.0, description="Seconds between heartbeats")
    lease_duration: Annotated[int, Field(ge=1)] = Field(
        default=40,
        validate_default=True,
        description="Seconds without heartbeat after which the node counts as Offline",
    )
    lease_namespace: str = Field(default="anka-nodes", description="Namespace of the heartbeat Lease")
    state_dir: Path = Field(default_factory=default_state_dir, description="Directory for what must survive a restart")
    token_file: Path | None = Field(
        default=None, description="File of this Mac's token, which the agent renews; written by `anka-agent join`"
    )
    token_seconds: Annotated[int, Field(ge=600, le=2_592_000)] = Field(
        default=604_800, description="Life of the tokens that it asks for, in seconds"
    )
    registry_url: str | None = Field(
        default=None, description="URL of the Anka registry, which collects logs; without it they stay on the Mac"
    )
    disable_central_logging: bool = Field(default=False, description="Keep all logs on the Mac")
    anka: str = Field(default="anka", description="The anka command: a name in PATH, or a path")
    num_workers: Annotated[int, Field(ge=1, le=64)] = Field(default=2, description="Clones and starts at a time")
    network_timeout: Annotated[float, Field(gt=0)] = Field(
        default=180.0, description="Seconds that a started VM has to get an IP address"
    )
    secret_timeout: Annotated[float, Field(ge=0)] = Field(
        default=60.0, description="Seconds to wait for the right to read a Secret that an instance names"
    )
    poll: Annotated[float, Field(gt=0)] = Field(default=2.0, description="Seconds between looks at the VMs")
    package_url: str = Field(
        default="",
        description="Where versions of the agent are, such as http://shim:8090/pkg/anka-agent-{version}.tar.gz",
    )
    update_seconds: Annotated[float, Field(gt=0)] = Field(
        default=120.0, description="Seconds that a new version of the agent has to come up"
    )
    health_host: str = Field(default="127.0.0.1", description="Address of /livez, /readyz and /metrics")
    health_port: Annotated[int, Field(ge=0, le=65535)] = Field(default=8082, description="Port of them; 0: a free one")

    @field_validator("heartbeat", mode="before")
    @classmethod
    def _seconds(cls, value: object) -> object:
        # `ankacluster join --heartbeat 5s`
        return value.removesuffix("s") if isinstance(value, str) else value

    @field_validator("reserve_space", mode="before")
    @classmethod
    def _percent(cls, value: object) -> object:
        if isinstance(value, str) and value[-1:] in ("B", "b"):
            return share_of_disk(value, host.disk_bytes(Path.home()))
        return value.removesuffix("%") if isinstance(value, str) else value

    @field_validator("vm_prefix")
    @classmethod
    def _with_dash(cls, value: str) -> str:
        # As `ankacluster join` has it since 1.50: it adds the dash, and an empty prefix is the usual one.
        return (value if value.endswith("-") else f"{value}-") if value else VM_PREFIX

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
        if value and not (value.startswith(("http://", "https://")) and "{version}" in value):
            raise ValueError("must begin with http:// or https:// and have {version} where the version goes")
        return value

    @field_validator("node_name")
    @classmethod
    def _usable_name(cls, value: str) -> str:
        object_name(value or host.host_name())
        return value

    @model_validator(mode="after")
    def _as_a_node(self) -> Self:
        self.node()
        return self

    @property
    def resolved_name(self) -> str:
        """Name of the AnkaNode and of the Lease."""
        return object_name(self.node_name or host.host_name())

    def node(self) -> AnkaNode:
        """The AnkaNode that these flags describe. Raises ValueError for what the API would refuse."""
        groups = [group.strip() for group in self.groups.split(",") if group.strip()]
        return AnkaNode(
            metadata=ObjectMeta(name=self.resolved_name),
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
