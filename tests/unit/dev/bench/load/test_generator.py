"""The load generator."""

from __future__ import annotations

import pytest

from anka_dev.bench.load.generator import Generator
from anka_dev.bench.load.plan import NAME, Plan, Result
from support.load_server import OK, Server


async def load(server: Server, **plan: object) -> Result:
    async with server.serve() as url:
        return await Generator(Plan(**{"url": url, "path": "/x", **plan})).run()  # type: ignore[arg-type]


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_closed_loop_counts_all_it_was_told_to_ask(chunked: bool) -> None:
    server = Server(lambda *_: (200, OK))
    server.chunked = chunked
    result = await load(server, total=20, connections=4, warm_up=4, expects=OK.decode())
    assert len(server.requests) == 24
    assert (len(result.latencies), result.answer_bytes, result.failed, result.failure) == (20, 20 * len(OK), 0, "")
    assert result.per_second > 0


async def test_names_go_into_path_and_body_one_after_the_other() -> None:
    server = Server(lambda *_: (201, b""))
    await load(server, method="POST", path=f"/vm/{NAME}", body=f'{{"id":"{NAME}"}}', names=["a", "b"], total=3)
    assert [(request.split(b" ")[1], request.rsplit(b"\r\n", 1)[1]) for request in server.requests] == [
        (b"/vm/a", b'{"id":"a"}'),
        (b"/vm/b", b'{"id":"b"}'),
        (b"/vm/a", b'{"id":"a"}'),
    ]


async def test_an_open_loop_charges_a_stall_to_all_that_were_due_meanwhile() -> None:
    server = Server(lambda *_: (200, OK))
    server.stall = 0.3
    result = await load(server, rate=100, total=20, connections=1)
    assert len(result.latencies) == 20
    # The first waits for 0.3 s; those due 0.1 s after it have waited for 0.2 s, though their own answer was quick.
    assert sorted(result.latencies)[10] > 0.15


async def test_an_open_loop_ends_in_time() -> None:
    result = await load(Server(lambda *_: (200, OK)), rate=50, seconds=0.2, connections=5)
    assert len(result.latencies) == 10


@pytest.mark.parametrize(
    ("answer", "failure"),
    [((500, b"broken"), "HTTP 500: broken"), ((200, b'{"status":"FAIL"}'), 'HTTP 200: {"status":"FAIL"}')],
)
async def test_bad_answers_are_counted_apart(answer: tuple[int, bytes], failure: str) -> None:
    server = Server(lambda number, _: answer if number == 2 else (200, OK))
    result = await load(server, total=5, expects=OK.decode())
    assert (len(result.latencies), result.failed, result.failure) == (4, 1, failure)


@pytest.mark.parametrize("rate", [0.0, 100.0])
async def test_a_server_that_hangs_up_ends_the_load(rate: float) -> None:
    server = Server(lambda number, _: None if number == 3 else (200, OK))
    result = await load(server, total=10, rate=rate)
    assert result.failed >= 1
    assert "closed" in result.failure
