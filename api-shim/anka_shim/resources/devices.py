"""/api/v1/usb and /api/v1/vlan: what the Macs have together."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from anka_shim.rest.envelope import ok
from anka_shim.rest.openapi import described
from anka_shim.schema.devices import UsbAnswer, VlanAnswer
from anka_shim.services import Services
from anka_shim.translate.devices import usb_answer, vlan_answer

TAG = "Devices"


def register(app: FastAPI, services: Services) -> None:
    """Add the endpoints to the application."""

    @app.get("/api/v1/usb", **described(TAG, "Count USB devices", gives=UsbAnswer))
    async def usb(_: Request) -> Response:
        """Of all Macs that are not Offline."""
        services.require_synced()
        return ok(usb_answer(services.stores.nodes, services.stores.instances_on))

    @app.get("/api/v1/vlan", **described(TAG, "List VLAN ids", gives=VlanAnswer))
    async def vlan(_: Request) -> Response:
        """Of all Macs that are not Offline."""
        services.require_synced()
        return ok(vlan_answer(services.stores.nodes))
