"""A shim over the simulated registry, which keeps real files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from anka_sim.registry import seed
from anka_sim.registry.server import serving
from support.mirror_follower import follow
from support.shim_rig import TEMPLATE, Rig, rig


@pytest.fixture
async def shim(tmp_path: Path) -> AsyncIterator[Rig]:
    for tag in ("v1", "v2"):
        seed.template(tmp_path, "macos", tag=tag, uuid=TEMPLATE, size=1000)
    async with serving(tmp_path) as url, rig(registry_url=url) as shim:
        following = asyncio.create_task(follow(shim.api, tmp_path))
        yield shim
        following.cancel()
