"""MACAddressPool: ranges of MAC addresses, of which each instance gets one."""

from typing import ClassVar

from pydantic import ConfigDict, Field

from anka_crds.api.defaults import MAC_REUSE_SECONDS
from anka_crds.api.fields import UnicastAddress, rule, validations
from anka_crds.api.limits import MAX_MAC_RANGES, MAX_MAC_REUSE_SECONDS
from anka_crds.api.meta import ApiModel, Column, KindDefinition, KubeObject, KubeStatus, optional, section


class AddressRange(ApiModel):
    """From one address to another, both included. Group addresses in between are left out."""

    # Addresses of one length, in capital letters: their order as texts is that as numbers.
    model_config = ConfigDict(
        json_schema_extra=validations(
            rule("self.first <= self.last", "first is above last: exchange them", fieldPath=".first")
        )
    )

    first: UnicastAddress = Field(description="The first address.")
    last: UnicastAddress = Field(description="The last address. It belongs to the range.")


class MACAddressPoolSpec(ApiModel):
    ranges: list[AddressRange] = Field(
        min_length=1,
        max_length=MAX_MAC_RANGES,
        description="The addresses. Ranges may overlap, also with those of other pools.",
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )
    reuse_after_seconds: int = Field(
        default=MAC_REUSE_SECONDS,
        ge=0,
        le=MAX_MAC_REUSE_SECONDS,
        description="How long an address rests after its instance, before another one gets it.",
    )


class MACAddressPoolStatus(KubeStatus):
    free: int | None = optional("Number of addresses that an instance could get. Up to a minute old.", ge=0)
    in_use: int | None = optional("Number of addresses that instances have. Up to a minute old.", ge=0)
    resting: int | None = optional("Number of addresses that wait until they may be used again.", ge=0)


class MACAddressPool(KubeObject):
    """Ranges of MAC addresses. While there is any pool, each instance gets an address of its own from them."""

    DEFINITION: ClassVar[KindDefinition] = KindDefinition(
        plural="macaddresspools",
        namespaced=False,
        short_names=("ankam",),
        columns=(
            Column("Ready", ".status.conditions[?(@.type=='Ready')].status"),
            Column("Free", ".status.free", "integer", "Addresses that an instance could get"),
            Column("In-Use", ".status.inUse", "integer", "Addresses that instances have"),
            Column("Resting", ".status.resting", "integer", "Addresses that wait until they may be used again"),
            Column("Age", ".metadata.creationTimestamp", "date"),
            Column("Reason", ".status.conditions[?(@.type=='Ready')].message", priority=1),
        ),
    )

    kind: str = "MACAddressPool"
    spec: MACAddressPoolSpec = Field(description="Desired state: the addresses, and how long they rest.")
    status: MACAddressPoolStatus = section(
        MACAddressPoolStatus, "Observed state of the pool. Written by controllers only."
    )
