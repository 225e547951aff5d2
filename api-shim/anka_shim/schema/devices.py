"""/api/v1/usb and /api/v1/vlan, as documented."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from anka_shim.schema.envelope import Answer, Failed, Succeeded


class Devices(Answer):
    model_config = ConfigDict(json_schema_extra={"examples": [{"available": 3, "busy": 1}]})

    available: int = Field(ge=0)
    busy: int = Field(ge=0)


class UsbOk(Succeeded):
    body: dict[str, Devices] = Field(
        description="By the group's name, or the location id of a device without group.",
        examples=[{"iphone7": {"available": 3, "busy": 1}, "tablet": {"available": 0, "busy": 2}}],
    )


class VlanOk(Succeeded):
    body: list[str] = Field(examples=[["12", "55"]])


UsbAnswer = UsbOk | Failed
VlanAnswer = VlanOk | Failed
