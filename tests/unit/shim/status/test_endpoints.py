"""/api/v1/status, with a registry that the Macs reach by another URL than the shim."""

from __future__ import annotations

from pathlib import Path

from anka_sim.registry import seed
from anka_sim.registry.server import serving
from support.shim_rig import TEMPLATE, rig

MACS = "http://registry.example:8089"


async def test_clients_are_told_the_url_of_the_macs_while_the_internal_one_is_read(tmp_path: Path) -> None:
    seed.template(tmp_path, "macos", tag="v1", uuid=TEMPLATE, size=1000)
    async with serving(tmp_path) as url, rig(registry_url=MACS, registry_internal_url=url) as shim:
        await shim.api.until(lambda: shim.services.registry.status == "Running")
        status = await shim.body("GET", "/api/v1/status")
        assert (status["registry_address"], status["registry_status"]) == (MACS, "Running")
        assert (await shim.body("GET", "/api/v1/registry/disk"))["total"] > 0
        [instance] = await shim.body("POST", "/api/v1/vm", json={"vmid": TEMPLATE})
        assert (await shim.body("GET", f"/api/v1/vm?id={instance}"))["anka_registry"] == MACS
        assert await shim.body("DELETE", f"/api/v1/registry/vm?id={TEMPLATE}") is None
