"""Questions to the API: a few at a time, each within its time, and no answer is never a wrong credential."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from anka_kube.errors import Unreachable
from anka_kube.unstructured import TOKEN_REVIEWS
from anka_shim.access.kubernetes.reviewer import PARALLEL_REVIEWS, KubernetesReviewer
from anka_shim.failure import Failure


class Api:
    """As much of a client as is used."""

    def __init__(self) -> None:
        self.asked = asyncio.Semaphore(0)
        self.released = asyncio.Event()
        self.now = self.most = 0
        self.error: Exception | None = None

    async def review(self, *_: Any, deadline: float) -> dict[str, Any]:
        self.now += 1
        self.most = max(self.most, self.now)
        self.asked.release()
        try:
            await self.released.wait()
            if self.error is not None:
                raise self.error
            return {"deadline": deadline}
        finally:
            self.now -= 1


async def test_some_are_asked_at_a_time() -> None:
    api = Api()
    reviewer = KubernetesReviewer(api, 30)  # type: ignore[arg-type]
    asking = [asyncio.create_task(reviewer.review(TOKEN_REVIEWS, {})) for _ in range(2 * PARALLEL_REVIEWS)]
    for _ in range(PARALLEL_REVIEWS):
        await api.asked.acquire()
    api.released.set()
    assert await asyncio.gather(*asking) == [{"deadline": 30}] * len(asking)
    assert api.most == PARALLEL_REVIEWS


async def test_who_waits_too_long_is_told_to_try_again() -> None:
    reviewer = KubernetesReviewer(Api(), 0.01)  # type: ignore[arg-type]
    with pytest.raises(Failure) as raised:
        await reviewer.review(TOKEN_REVIEWS, {})
    assert (raised.value.code, raised.value.retry_after) == (503, 1)


async def test_what_went_wrong_is_for_the_log(caplog: pytest.LogCaptureFixture) -> None:
    api = Api()
    api.released.set()
    api.error = Unreachable("connection refused", sent=False, action="create /apis/x")
    with pytest.raises(Failure, match="try again") as raised:
        await KubernetesReviewer(api, 5).review(TOKEN_REVIEWS, {"token": "secret"})  # type: ignore[arg-type]
    assert "refused" not in raised.value.message
    assert "TokenReview: create /apis/x: Unreachable: connection refused" in caplog.text
    assert "secret" not in caplog.text
