"""A Mac that is to join."""

from __future__ import annotations

import pytest

from support.shim_rig import rig


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "name: is required, the name of the new node"),
        ({"name": "Mac 1"}, "name: must be at most 248 small letters, digits, '-' and '.'"),
        ({"name": "-a"}, "name: must be at most 248"),
        ({"name": "a..b"}, "name: must be at most 248"),
        ({"name": "a" * 249}, "name: must be at most 248"),
        ({"name": "mac-9", "seconds": 599}, "seconds: must be from 600 to 3600 (given: 599)"),
        ({"name": "mac-9", "seconds": 3601}, "seconds: must be from 600 to 3600 (given: 3601)"),
        ({"name": "mac-9", "displayName": ["a"]}, "displayName: must be a string"),
    ],
)
async def test_what_makes_no_sense(body: dict[str, object], message: str) -> None:
    async with rig(join_server_url="https://api.example") as shim:
        assert (await shim.message("POST", "/portal/v1/join", json=body)).startswith(message)
        assert not shim.api.count("create")
