from __future__ import annotations

import aiohttp
import pytest

from anka_runtime.session import HttpSession, open_session


class Client(HttpSession):
    def _open_session(self) -> aiohttp.ClientSession:
        return open_session()

    @property
    def session(self) -> aiohttp.ClientSession | None:
        return self._session


async def test_a_session_is_open_in_the_block_and_closed_after_it() -> None:
    client = Client()
    assert client.session is None
    async with client:
        session = client.session
        assert session is not None
        assert not session.closed
    assert session.closed
    assert client.session is None


async def test_a_client_can_be_entered_again() -> None:
    client = Client()
    for _ in range(2):
        with pytest.raises(RuntimeError, match="in the block"):
            async with client:
                raise RuntimeError("in the block")
        assert client.session is None
