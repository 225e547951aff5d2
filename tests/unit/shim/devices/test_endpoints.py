from __future__ import annotations

import asyncio

from anka_shim.auth_config.answer import AuthOk
from anka_shim.devices.answer import UsbOk, VlanOk
from support.shim_rig import rig


async def test_usb_and_vlan() -> None:
    async with rig() as shim:
        assert await shim.call("GET", "/api/v1/usb") == {"status": "OK", "message": "", "body": {}}
        assert await shim.call("GET", "/api/v1/vlan") == {"status": "OK", "message": "", "body": []}
        seen = asyncio.Event()
        shim.services.stores.nodes.subscribe(lambda *_: seen.set())
        status = {"state": "Active", "vlans": ["12"], "usbDevices": [{"locationId": "1", "group": "iphone7"}]}
        shim.api.put("ankanodes", "mac-1", "", spec={}, status=status)
        await asyncio.wait_for(seen.wait(), 60)
        answer = await shim.call("GET", "/api/v1/usb")
        UsbOk.model_validate(answer)
        assert answer["body"] == {"iphone7": {"available": 1, "busy": 0}}
        claimed = asyncio.Event()
        shim.services.stores.instances.subscribe(lambda *_: claimed.set())
        shim.api.put(
            "ankainstances", "one", "default", spec={"template": "t"}, status={"nodeName": "mac-1", "usbDevice": "1"}
        )
        await asyncio.wait_for(claimed.wait(), 60)
        assert await shim.body("GET", "/api/v1/usb") == {"iphone7": {"available": 0, "busy": 1}}
        VlanOk.model_validate(await shim.call("GET", "/api/v1/vlan"))
        assert await shim.body("GET", "/api/v1/vlan") == ["12"]


async def test_without_authentication_there_is_nothing_to_log_in_by() -> None:
    async with rig(synced=False) as shim:
        answer = await shim.call("GET", "/config/v1/auth")
        AuthOk.model_validate(answer)
        # Jenkins reads the body as an object and looks for `oidc` in it.
        assert answer["body"] == {}
        assert (await shim.message("GET", "/api/v1/usb")).startswith("starting up")
