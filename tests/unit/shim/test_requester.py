"""Who asks is on all that is made for them, and nowhere else."""

from __future__ import annotations

import asyncio

from anka_crds.api.meta import REQUESTED_BY
from anka_shim.requester import LONGEST, requested_by, requester_annotations


async def test_it_holds_inside_and_for_tasks_that_begin_there() -> None:
    async def ask() -> dict[str, str]:
        return requester_annotations()

    assert requester_annotations() == {}
    with requested_by("jenkins"):
        assert requester_annotations() == {REQUESTED_BY: "jenkins"}
        task = asyncio.create_task(ask())
    assert await task == {REQUESTED_BY: "jenkins"}
    assert requester_annotations() == {}


def test_a_name_is_never_longer_than_we_say() -> None:
    with requested_by("x" * 10_000):
        assert len(requester_annotations()[REQUESTED_BY]) == LONGEST
