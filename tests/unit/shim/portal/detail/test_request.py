"""Which object is asked for."""

from __future__ import annotations

import pytest

from support.shim_rig import rig

PATH = "/portal/v1/object"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("id=x", "kind: is required"),
        ("kind=secrets&id=x", "kind: must be one of nodes, instances, "),
        ("kind=nodes", "id: is required"),
        (f"kind=nodes&id={'x' * 600}", "id: must have at most 512 characters"),
    ],
)
async def test_what_makes_no_sense(query: str, message: str) -> None:
    async with rig() as shim:
        assert (await shim.message("GET", f"{PATH}?{query}")).startswith(message)
