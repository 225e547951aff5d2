"""Many secrets, few requests; a peer that is silent costs no login."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from anka_shim.replicas.announcements import MOST_TOGETHER, Announcements, UsedSecret
from anka_shim.replicas.peer import PeerError

LONG = 600.0


class Other:
    """Answers when a test says so."""

    def __init__(self) -> None:
        self.told: list[list[bytes]] = []
        self.answers: asyncio.Queue[set[bytes] | PeerError] = asyncio.Queue()
        self.troubles: list[str] = []
        self.begun = asyncio.Event()
        self.announcements = Announcements(self.send, self.troubles.append)

    async def send(self, secrets: Sequence[UsedSecret]) -> set[bytes]:
        self.told.append([secret.nonce for secret in secrets])
        self.begun.set()
        answer = await self.answers.get()
        if isinstance(answer, PeerError):
            raise answer
        return answer

    def tell(self, number: int, seconds: float = LONG) -> asyncio.Task[bool]:
        return asyncio.create_task(self.announcements.tell(UsedSecret(nonce(number), 1), seconds))


def nonce(number: int) -> bytes:
    return number.to_bytes(2, "big")


async def test_what_comes_during_a_request_shares_the_next() -> None:
    other = Other()
    first = other.tell(0)
    await asyncio.wait_for(other.begun.wait(), 60)
    later = [other.tell(number) for number in range(1, MOST_TOGETHER + 3)]
    await asyncio.sleep(0)
    for known in (set(), {nonce(2)}, set()):
        other.answers.put_nowait(known)
    assert not await first
    assert await asyncio.gather(*later) == [number == 2 for number in range(1, MOST_TOGETHER + 3)]
    assert [len(told) for told in other.told] == [1, MOST_TOGETHER, 2]


async def test_no_login_waits_for_a_peer_in_trouble() -> None:
    other = Other()
    waiting = [other.tell(number) for number in range(MOST_TOGETHER + 5)]
    other.answers.put_nowait(PeerError("no answer within 0.3 s"))
    assert not any(await asyncio.wait_for(asyncio.gather(*waiting), 60))
    assert other.troubles == ["no answer within 0.3 s"]
    again = other.tell(7)
    other.answers.put_nowait({nonce(7)})
    assert await asyncio.wait_for(again, 60), "the next one is told again"


async def test_a_login_waits_no_longer_than_its_time_and_the_peer_is_told_all_the_same() -> None:
    other = Other()
    assert not await asyncio.wait_for(other.tell(1, seconds=0.01), 60)
    assert other.told == [[nonce(1)]]
    await other.announcements.close()


async def test_the_end_frees_everybody() -> None:
    other = Other()
    waiting = other.tell(1)
    await asyncio.wait_for(other.begun.wait(), 60)
    await other.announcements.close()
    assert not await asyncio.wait_for(waiting, 60)
