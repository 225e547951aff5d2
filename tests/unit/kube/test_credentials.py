from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from anka_kube.credentials import RenewedCredentials, StaticCredentials, TokenFile
from support.manual_clock import ManualClock


async def bearer(credentials: TokenFile | RenewedCredentials | StaticCredentials) -> str | None:
    return (await credentials.headers()).get("Authorization")


def rewrite(file: Path, content: bytes | None) -> None:
    file.unlink()
    if content is not None:
        file.write_bytes(content)


async def test_static_ones_never_change() -> None:
    credentials = StaticCredentials({"Authorization": "Bearer x"})
    credentials.invalidate(await credentials.headers())
    assert await bearer(credentials) == "Bearer x"
    assert await bearer(StaticCredentials()) is None


class TestTokenFile:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        path = tmp_path / "token"
        path.write_text("one\n")
        return path

    async def test_is_read_again_after_a_minute(self, file: Path, clock: ManualClock) -> None:
        credentials = TokenFile(file, clock)
        assert await bearer(credentials) == "Bearer one"
        rewrite(file, b"two")
        clock.advance(59)
        assert await bearer(credentials) == "Bearer one"
        clock.advance(1)
        assert await bearer(credentials) == "Bearer two"

    async def test_is_read_again_at_once_after_a_401(self, file: Path, clock: ManualClock) -> None:
        credentials = TokenFile(file, clock)
        used = await credentials.headers()
        rewrite(file, b"two")
        credentials.invalidate(used)
        assert await bearer(credentials) == "Bearer two"

    @pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
    async def test_a_moment_without_a_token_keeps_the_old_one(
        self, file: Path, clock: ManualClock, content: bytes | None, caplog: pytest.LogCaptureFixture
    ) -> None:
        credentials = TokenFile(file, clock)
        used = await credentials.headers()
        rewrite(file, content)
        credentials.invalidate(used)
        assert await bearer(credentials) == "Bearer one"
        assert str(file) in caplog.text


class TestRenewed:
    async def test_asks_once_a_minute_and_by_force_after_a_401(self, clock: ManualClock) -> None:
        asked: list[bool] = []

        def renew(force: bool) -> str:
            asked.append(force)
            return f"Bearer {len(asked)}"

        credentials = RenewedCredentials("Bearer 0", renew, clock)
        assert await bearer(credentials) == "Bearer 0"
        clock.advance(60)
        assert await bearer(credentials) == "Bearer 1"
        credentials.invalidate(await credentials.headers())
        assert await bearer(credentials) == "Bearer 2"
        assert asked == [False, True]

    async def test_many_requests_renew_once(self, clock: ManualClock) -> None:
        asked: list[bool] = []

        def renew(force: bool) -> str:
            asked.append(force)
            return "Bearer new"

        credentials = RenewedCredentials(None, renew, clock)
        assert await bearer(credentials) is None
        clock.advance(61)
        assert await asyncio.gather(*(bearer(credentials) for _ in range(20))) == ["Bearer new"] * 20
        assert asked == [False]

    async def test_many_refusals_renew_once(self, clock: ManualClock) -> None:
        asked: list[bool] = []

        def renew(force: bool) -> str:
            asked.append(force)
            return "Bearer new"

        credentials = RenewedCredentials("Bearer old", renew, clock)
        used = await credentials.headers()
        for _ in range(3):
            credentials.invalidate(used)
            assert await bearer(credentials) == "Bearer new"
        assert asked == [True]

    async def test_a_plugin_that_fails_leaves_the_old_ones(
        self, clock: ManualClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        def renew(force: bool) -> str:
            raise FileNotFoundError("no such plugin")

        credentials = RenewedCredentials("Bearer old", renew, clock)
        credentials.invalidate(await credentials.headers())
        assert await bearer(credentials) == "Bearer old"
        assert "no such plugin" in caplog.text
