"""Many writes, few questions; a peer that is silent or behind is told once."""

from __future__ import annotations

import asyncio

import pytest

from anka_shim.replicas.peer import Peer, PeerError

KIND = "ankainstances"
LONG = 600.0


class Other:
    """Answers when a test says so."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.answers: asyncio.Queue[int | PeerError] = asyncio.Queue()
        self.troubles: list[str] = []
        self.naps: list[float] = []
        self.begun = asyncio.Event()
        self.peer = Peer(self.ask, self.troubles.append, sleep=self.sleep)

    async def ask(self, kind: str, version: int) -> int:
        assert kind == KIND
        self.asked.append(version)
        self.begun.set()
        answer = await self.answers.get()
        if isinstance(answer, PeerError):
            raise answer
        return answer

    async def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        await asyncio.sleep(0)

    def wait(self, version: int, seconds: float = LONG) -> asyncio.Task[bool]:
        return asyncio.create_task(self.peer.wait_for(KIND, version, seconds))


async def test_all_that_wait_share_one_question_about_the_newest() -> None:
    other = Other()
    waiting = [other.wait(version) for version in (5, 9, 7)]
    other.answers.put_nowait(9)
    assert await asyncio.gather(*waiting) == [True] * 3
    assert other.asked == [9]


async def test_what_comes_during_a_question_shares_the_next() -> None:
    other = Other()
    first = other.wait(5)
    await asyncio.wait_for(other.begun.wait(), 60)
    later = [other.wait(version) for version in range(6, 56)]
    await asyncio.sleep(0)
    other.answers.put_nowait(5)
    assert await first
    assert not any(task.done() for task in later)
    other.answers.put_nowait(60)
    assert await asyncio.gather(*later) == [True] * 50
    assert other.asked == [5, 55]
    assert other.naps


async def test_an_answer_that_is_newer_than_asked_frees_those_who_came_meanwhile() -> None:
    other = Other()
    first = other.wait(5)
    await asyncio.wait_for(other.begun.wait(), 60)
    second = other.wait(6)
    await asyncio.sleep(0)
    other.answers.put_nowait(8)
    assert all(await asyncio.gather(first, second))
    assert other.asked == [5]


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (PeerError("no answer within 0.3 s"), "no answer within 0.3 s"),
        (4, "it is behind: its watch of ankainstances has not reached 5"),
    ],
)
async def test_nobody_waits_for_a_peer_in_trouble(answer: int | PeerError, trouble: str) -> None:
    other = Other()
    waiting = [other.wait(version) for version in (3, 5)]
    other.answers.put_nowait(answer)
    assert await asyncio.wait_for(asyncio.gather(*waiting), 60) == [answer == 4, False]
    assert other.troubles == [trouble]
    # The next write asks anew.
    again = other.wait(5)
    other.answers.put_nowait(5)
    assert await again


async def test_a_write_waits_no_longer_than_its_time() -> None:
    other = Other()
    assert not await asyncio.wait_for(other.wait(5, seconds=0.01), 60)
    assert other.troubles == []
    await other.peer.close()


async def test_the_end_frees_everybody() -> None:
    other = Other()
    waiting = other.wait(5)
    await asyncio.wait_for(other.begun.wait(), 60)
    await other.peer.close()
    assert not await asyncio.wait_for(waiting, 60)
