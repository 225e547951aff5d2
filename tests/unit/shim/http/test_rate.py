from __future__ import annotations

import pytest

from anka_shim.http.rate import RateLimit, parse_rule
from anka_shim.metrics import LIMITED
from support.shim_rig import rig


@pytest.mark.parametrize("rule", ["50/second", "1 per 2 hours", "1000/5 minutes"])
def test_rules(rule: str) -> None:
    assert parse_rule(rule).get_expiry() >= 1


@pytest.mark.parametrize("rule", ["", "many", "50", "0/second", "-1/second", "5/fortnight", "1/second;2/minute"])
def test_what_is_no_rule(rule: str) -> None:
    with pytest.raises(ValueError, match="must be a number and a time, such as 50/second"):
        parse_rule(rule)


async def test_each_client_has_its_own() -> None:
    limit = RateLimit("2/hour")
    assert [await limit.retry_after("/api/v1/vm", "10.0.0.1") for _ in range(2)] == [None, None]
    seconds = await limit.retry_after("/api/v1/vm", "10.0.0.1")
    assert seconds is not None
    assert 1 <= seconds <= 3600
    assert await limit.retry_after("/api/v1/vm", "10.0.0.2") is None


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/peer/reached"])
async def test_what_is_never_refused(path: str) -> None:
    limit = RateLimit("1/hour")
    assert [await limit.retry_after(path, "10.0.0.1") for _ in range(3)] == [None] * 3


async def test_the_answer() -> None:
    before = LIMITED._value.get()
    async with rig(rate_limit="2/hour") as shim:
        for _ in range(2):
            assert (await shim.http.get("/api/v1/vm")).status_code == 200
        answer = await shim.http.get("/api/v1/vm")
        seconds = int(answer.headers["retry-after"])
        text = f"too many requests, at most 2/hour: try again in {seconds} s"
        assert (answer.status_code, answer.json()) == (429, {"status": "FAIL", "message": text})
        assert (await shim.http.get("/livez")).status_code == 200
        assert LIMITED._value.get() == before + 1
