"""The load generator against a small server that can stall, fail and hang up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from anka_dev.bench.load import driver
from anka_dev.bench.load.generator import Generator
from anka_dev.bench.load.plan import NAME, Plan, Result, merged
from anka_dev.errors import DevError

OK = b'{"status":"OK"}'


class Server:
    """Answers every request with `answer(request number, request)`; None hangs up."""

    def __init__(self, answer: Callable[[int, bytes], tuple[int, bytes] | None]) -> None:
        self.requests: list[bytes] = []
        self.stall = 0.0
        self.chunked = False
        self._answer = answer
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.add(asyncio.create_task(self._client(reader, writer)))

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next((int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length")), 0)
                request = head + await reader.readexactly(length)
                self.requests.append(request)
                if self.stall and len(self.requests) == 1:
                    await asyncio.sleep(self.stall)
                made = self._answer(len(self.requests), request)
                if made is None:
                    break
                status, body = made
                if self.chunked:
                    framed = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
                    writer.write(b"HTTP/1.1 %d X\r\nTransfer-Encoding: chunked\r\n\r\n%b" % (status, framed))
                else:
                    writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body))
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


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


async def test_the_driver_runs_it_in_another_process() -> None:
    server = Server(lambda *_: (200, OK))
    async with server.serve() as url:
        result = await asyncio.to_thread(driver.run_load, Plan(url=url, path="/x", total=5))
    assert len(result.latencies) == 5
    assert 0 < result.load_share < 2


async def test_the_driver_wants_no_figures_of_failures() -> None:
    server = Server(lambda *_: (503, b"busy"))
    async with server.serve() as url:
        with pytest.raises(DevError, match=r"GET http://.*/x: 2 of 2 failed: HTTP 503: busy"):
            await asyncio.to_thread(driver.run_load, Plan(url=url, path="/x", total=2))


def test_no_server_is_one_line() -> None:
    with pytest.raises(DevError, match=r"GET http://127\.0\.0\.1:1/x: .*[Cc]onnect"):
        driver.run_load(Plan(url="http://127.0.0.1:1", path="/x", total=1))


def test_plans_and_results_travel_as_json() -> None:
    plan = Plan(url="http://x", path="/", names=["a"], headers={"A": "b"}, rate=2.5)
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
    result = Result(2.0, [0.1, 0.3], 10, 0, "", 0.5)
    assert Result.from_json(json.loads(json.dumps(result.to_json()))) == result


def test_several_runs_are_one() -> None:
    whole = merged([Result(2.0, [0.1], 10, 0, "", 0.5), Result(1.0, [0.3, 0.2], 5, 1, "late", 0.25)])
    assert whole == Result(3.0, [0.1, 0.3, 0.2], 15, 1, "late", 0.75)
    assert (whole.per_second, whole.bytes_each, whole.load_share, whole.ms(50)) == (1.0, 5.0, 0.25, 200.0)
