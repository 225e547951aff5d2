"""Expired keys are removed; one that was prolonged meanwhile is not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from anka_shim.api_key.request import object_name
from anka_shim.api_key.sweep import ApiKeySweep
from support.api_keys import ROOT, add_key, with_keys
from support.scripted_api import Fault
from support.shim_rig import Rig


def sweep_of(shim: Rig) -> ApiKeySweep:
    client = shim.services.instances._writer._client
    return ApiKeySweep(client, shim.services.stores, shim.clock, 3600, sleep=shim.clock.sleep)


def ids(shim: Rig) -> set[str]:
    return {obj["spec"]["id"] for obj in shim.api.objects["apikeys"].values()}


async def test_what_has_expired_goes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    async with with_keys(tmp_path) as shim:
        await add_key(shim, "old", ttl=60)
        await add_key(shim, "young", ttl=120)
        sweep = sweep_of(shim)
        await sweep.sweep()
        assert ids(shim) == {"old", "young"}
        shim.clock.advance(60)
        shim.api.fail("delete", Fault(500, "no"), times=100)
        await sweep.sweep()
        assert "an expired API key cannot be removed" in caplog.text
        shim.api.heal()
        await sweep.sweep()
        assert ids(shim) == {"young"}
        await sweep.sweep()
        assert ids(shim) == {"young"}


async def test_what_another_replica_has_prolonged_stays(tmp_path: Path) -> None:
    async with with_keys(tmp_path) as shim:
        await add_key(shim, "old", ttl=60)
        shim.clock.advance(60)
        stale = shim.services.stores.api_key("old")
        await shim.http.put("/api/v1/apikey", json={"id": "old", "groups": [], "ttl": 60}, headers=ROOT)
        assert stale is not None
        await sweep_of(shim)._remove(stale)
        assert ids(shim) == {"old"}


async def test_it_runs_again_and_again(tmp_path: Path) -> None:
    async with with_keys(tmp_path) as shim:
        await add_key(shim, "old", ttl=60)
        async with sweep_of(shim):
            await shim.api.until(lambda: ("", object_name("old")) not in shim.api.objects["apikeys"])
            await asyncio.sleep(0)
        assert set(shim.clock.naps) == {3600}
