"""/api/v1/usb and /api/v1/vlan: what all Macs have in total."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from anka_shim.access.resource_rights import ResourceRights
from anka_shim.devices.answer import UsbOk, VlanOk, usb_answer, vlan_answer
from anka_shim.http.envelope import ok
from anka_shim.http.injection import SYNCED, Caches, inject
from anka_shim.http.openapi import answers

router = APIRouter(tags=["Devices"], dependencies=[SYNCED])

Rights = Annotated[ResourceRights, inject(ResourceRights)]


@router.get("/api/v1/usb", summary="Count USB devices", responses=answers(UsbOk))
async def usb(caches: Caches, rights: Rights) -> Response:
    """Of all Macs that are not Offline."""
    return ok(usb_answer(rights.nodes(), caches.instances_on))


@router.get("/api/v1/vlan", summary="List VLAN ids", responses=answers(VlanOk))
async def vlan(rights: Rights) -> Response:
    """Of all Macs that are not Offline."""
    return ok(vlan_answer(rights.nodes()))
