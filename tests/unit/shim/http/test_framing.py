"""Where one request ends and the next begins, for any bytes in any segments: as a reference parser has it, or a 4xx and
the end of the connection. No byte of a body is ever read as a request."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from anka_shim.http.connection import Connection
from support.http_wire import Exchange, ReferenceProtocol, exchange

FUZZ_SECONDS = float(os.environ.get("ANKA_FUZZ_SECONDS", "6"))
"""What the random part may cost each time."""

SMUGGLED = b"DELETE /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
NEXT = b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n"
OFFERS = [
    b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n",
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n",
    b"Upgrade: TLS/1.2\r\nConnection: upgrade\r\n",
    b"connection: keep-alive\r\nconnection: UPGRADE\r\nupgrade: h2c, websocket\r\nupgrade: TLS/1.3\r\n",
    b"Proxy-Connection: Upgrade\r\nUpgrade: h2c\r\n",
    b"Connection: Upgrade\r\nUpgrade: \r\n",
    b"Upgrade: h2c\r\n",
    b"Connection: Upgrade\r\n",
]


def sized(offer: bytes, body: bytes, method: bytes = b"POST") -> bytes:
    return b"%s /x HTTP/1.1\r\nHost: a\r\n%sContent-Length: %d\r\n\r\n%s" % (method, offer, len(body), body)


def chunked(offer: bytes, body: bytes) -> bytes:
    half = len(body) // 2
    parts = [part for part in (body[:half], body[half:]) if part]
    chunks = b"".join(b"%x;e=1\r\n%s\r\n" % (len(part), part) for part in parts)
    return b"POST /x HTTP/1.1\r\nHost: a\r\n%sTransfer-Encoding: chunked\r\n\r\n%s0\r\nX-T: 1\r\n\r\n" % (offer, chunks)


def of(*segments: bytes) -> Exchange:
    return asyncio.run(exchange(Connection, segments))


def seen(result: Exchange) -> list[tuple[str, str, str]]:
    assert [answer.code for answer in result.answers] == [200] * len(result.applied)
    return result.applied


@pytest.mark.parametrize("offer", OFFERS)
@pytest.mark.parametrize("frame", [sized, chunked])
def test_an_offered_upgrade_is_ignored_and_the_body_read_in_every_split(offer: bytes, frame: object) -> None:
    raw = frame(offer, SMUGGLED) + NEXT  # type: ignore[operator]
    expected = [("POST", "/x", SMUGGLED.decode()), ("GET", "/next", "")]
    for cut in range(len(raw)):
        assert seen(of(raw[:cut], raw[cut:])) == expected, raw[:cut]
    assert seen(of(*(raw[place : place + 1] for place in range(len(raw))))) == expected


@pytest.mark.parametrize("offer", OFFERS)
@pytest.mark.parametrize("method", [b"GET", b"PUT", b"DELETE", b"OPTIONS"])
def test_many_offers_on_one_connection(offer: bytes, method: bytes) -> None:
    bodies = [b"", b"{}", b"x" * 5000, SMUGGLED]
    raw = b"".join(sized(offer, body, method) for body in bodies) * 100
    expected = [(method.decode(), "/x", body.decode()) for body in bodies] * 100
    assert seen(of(raw)) == expected
    assert seen(of(*(raw[place : place + 999] for place in range(0, len(raw), 999)))) == expected


@pytest.mark.parametrize("offer", OFFERS[:4])
def test_an_offer_beside_close(offer: bytes) -> None:
    result = of(sized(offer + b"Connection: close\r\n", b"{}") + NEXT)
    assert seen(result) == [("POST", "/x", "{}")]
    assert result.closed
    assert result.answers[0].closes


HEAD = b"POST /x HTTP/1.1\r\nHost: a\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
AMBIGUOUS = [
    HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    HEAD + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    HEAD + b"Content-Length: 2, 2\r\n\r\n{}",
    HEAD + b"Content-Length: +2\r\n\r\n{}",
    HEAD + b"Content-Length: -2\r\n\r\n{}",
    HEAD + b"Content-Length: 0x2\r\n\r\n{}",
    HEAD + b"Content-Length: 2 0\r\n\r\n{}",
    HEAD + b"Content-Length:\r\n\r\n{}",
    HEAD + b"Content-Length: 99999999999999999999\r\n\r\n{}",
    HEAD + b"Content-Length: 2\r\n 0\r\n\r\n{}",
    HEAD + b"Content-Length : 2\r\n\r\n{}",
    HEAD + b"Content-Length\t: 2\r\n\r\n{}",
    HEAD + b" Content-Length: 2\r\n\r\n{}",
    HEAD + b"Content\0-Length: 2\r\n\r\n{}",
    HEAD + b"X: a\0b\r\nContent-Length: 2\r\n\r\n{}",
    HEAD + b"X: a\rContent-Length: 2\r\n\r\n{}",
    HEAD + b"X: a\nContent-Length: 2\r\n\r\n{}",
    HEAD + b"X: a\r\n b\r\nContent-Length: 2\r\n\r\n{}",
    HEAD + b": x\r\nContent-Length: 2\r\n\r\n{}",
    HEAD + b"Content-Length: 2\n\n{}",
    HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    HEAD + b"Transfer-Encoding: chunked, gzip\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    HEAD + b"Transfer-Encoding: ,chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    HEAD + b"Transfer-Encoding: xchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    HEAD + b"Transfer-Encoding: identity\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    HEAD + b"Transfer-Encoding:\r\n chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    HEAD + b"Transfer-Encoding: \x0bchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    b"POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    CHUNKED + b"0x2\r\n{}\r\n0\r\n\r\n",
    CHUNKED + b"+2\r\n{}\r\n0\r\n\r\n",
    CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n",
    CHUNKED + b"2 \r\n{}\r\n0\r\n\r\n",
    CHUNKED + b"2\n{}\r\n0\r\n\r\n",
    CHUNKED + b"2;a\n{}\r\n0\r\n\r\n",
    CHUNKED + b"2\r\n{}\n0\r\n\r\n",
    CHUNKED + b"2\r\n{}x\r\n0\r\n\r\n",
    CHUNKED + b"\r\n{}\r\n0\r\n\r\n",
    CHUNKED + b"ffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
    CHUNKED + b"2\r\n{}\r\n0\r\nContent-Length: 5\r\n\r\n",
    CHUNKED + b"2\r\n{}\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n",
    CHUNKED + b"2\r\n{}\r\n0\r\nConnection: close\r\n\r\n",
    CHUNKED + b"2\r\n{}\r\n0\r\nUpgrade: h2c\r\n\r\n",
    b"POST /x HTTP/1.1\r\n\r\n",
    b"POST /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"POST /x HTTP/2.0\r\nHost: a\r\n\r\n",
    b"POST /x HTTP/0.9\r\nHost: a\r\n\r\n",
    b"POST /x\r\n\r\n",
    b"POST /x#y HTTP/1.1\r\nHost: a\r\n\r\n",
    b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"CONNECT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
]


@pytest.mark.parametrize("offer", [b"", OFFERS[0]], ids=["plain", "offer"])
@pytest.mark.parametrize("raw", AMBIGUOUS)
def test_what_is_ambiguous_is_refused_and_ends_the_connection(raw: bytes, offer: bytes) -> None:
    line, end, rest = raw.partition(b"\r\n")
    raw = line + end + offer + rest
    for cut in range(0, len(raw), 3):
        result = of(NEXT + raw[:cut], raw[cut:], NEXT)
        assert [answer.code for answer in result.answers] == [200, 400], raw[:cut]
        assert result.answers[1].closes
        assert result.closed
        assert result.applied == [("GET", "/next", "")]


def test_answers_keep_the_order_of_the_requests() -> None:
    """A request that is broken is not answered before those in front of it."""
    raw = sized(b"", b"1") + sized(OFFERS[0], b"2") + CHUNKED + b"zz\r\n" + NEXT
    for segments in ([raw], [raw[:50], raw[50:]], [raw[place : place + 1] for place in range(len(raw))]):
        result = of(*segments)
        assert [answer.code for answer in result.answers] == [200, 200, 400]
        assert [body for _, _, body in result.applied] == ["1", "2"]


def test_trailers_are_not_headers() -> None:
    headers: list[tuple[bytes, bytes]] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        headers.extend(scope["headers"])
        await send({"type": "http.response.start", "status": 204, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})

    raw = CHUNKED + b"2\r\n{}\r\n0\r\nIdempotency-Key: 1\r\nHost: b\r\nExpect: 100-continue\r\n\r\n"
    asyncio.run(exchange(Connection, [raw], application=application))
    assert headers == [(b"host", b"a"), (b"transfer-encoding", b"chunked")]


@pytest.mark.parametrize("offer", [b"", OFFERS[0]], ids=["plain", "offer"])
def test_100_continue(offer: bytes) -> None:
    raw = sized(offer + b"Expect: 100-continue\r\n", b"{}")
    result = of(raw[:-2], raw[-2:], NEXT)
    assert result.continues == 1
    assert seen(result) == [("POST", "/x", "{}"), ("GET", "/next", "")]
    assert not result.closed


def test_http_1_0_has_no_100_continue() -> None:
    raw = b"POST /x HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    result = of(raw, b"{}")
    assert result.continues == 0
    assert seen(result) == [("POST", "/x", "{}")]


def test_a_body_that_was_never_asked_for_is_not_waited_for() -> None:
    """After a final answer, a client that waits for 100 Continue may go on with its next request."""

    async def early(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 429, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})

    raw = HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(NEXT)
    result = asyncio.run(exchange(Connection, [raw, NEXT], application=early))
    assert [(answer.code, answer.closes) for answer in result.answers] == [(429, True)]
    assert result.continues == 0
    assert result.closed


def test_a_body_whose_answer_came_early_is_not_a_request() -> None:
    async def early(scope: Scope, receive: Receive, send: Send) -> None:
        content = scope["path"].encode()
        await send(
            {"type": "http.response.start", "status": 299, "headers": [(b"content-length", b"%d" % len(content))]}
        )
        await send({"type": "http.response.body", "body": content})

    for frame in (sized, chunked):
        for offer in (b"", *OFFERS):
            raw = frame(offer, SMUGGLED * 50)
            result = asyncio.run(exchange(Connection, [raw[:-200], raw[-200:-40], raw[-40:] + NEXT], application=early))
            assert [answer.code for answer in result.answers] == [299, 299]
            # Its body breaks after its answer: no second answer.
    result = asyncio.run(exchange(Connection, [CHUNKED, b"zz\r\n", NEXT], application=early))
    assert [answer.code for answer in result.answers] == [299]
    assert result.closed


BODIES = st.sampled_from(
    [b"", b"{}", b'{"vmid":"x"}', SMUGGLED, b"0\r\n\r\n", b"\r\n" + NEXT, b"2\r\n{}\r\n0\r\n\r\n" + NEXT]
)
CONNECTIONS = [
    b"Connection: close\r\n",
    b"Connection: keep-alive\r\n",
    b"Connection: close, Upgrade\r\nUpgrade: h2c\r\n",
    *OFFERS,
]
EXTRAS = [
    b"Expect: 100-continue\r\n",
    b"Expect: 100-Continue \t\r\n",
    b"Expect: something\r\n",
    b"Host: b\r\n",
    b"X: \xe9\r\n",
    b"Content-Type: application/json\r\n",
    b"HTTP2-Settings: \r\n",
    b"TE: trailers\r\nTrailer: X-T\r\n",
    b"X : y\r\n",
    b"X: a\r\n b\r\n",
]
LENGTHS = st.sampled_from(
    [b"%d", b"0%d", b" %d ", b"+%d", b"%d,%d", b"%d\r\nContent-Length: %d", b"%d\r\nContent-Length: 0"]
)
SIZES = st.sampled_from([b"%x", b"%X", b"0%x", b"%x;a=b", b'%x;a="b"', b"%x ", b"0x%x", b"-%x", b"%x;\n"])
CODINGS = st.sampled_from(
    [b"chunked", b"CHUNKED", b"gzip, chunked", b"chunked, chunked", b"identity", b"x", b"", b"\tchunked"]
)
TRAILERS = st.sampled_from(
    [b"", b"", b"X-T: 1\r\n", b"Content-Length: 3\r\n", b"Connection: close\r\n", b"X-T : 1\r\n"]
)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    method = draw(st.sampled_from([b"GET", b"POST", b"PUT", b"DELETE", b"HEAD", b"OPTIONS"]))
    version = draw(st.sampled_from([b"1.1"] * 20 + [b"1.0", b"1.0", b"1.2"]))
    fields = draw(st.sampled_from([[b"Host: a\r\n"]] * 20 + [[]]))
    fields = [*fields, *draw(st.lists(st.sampled_from(CONNECTIONS), max_size=2))]
    if draw(st.integers(0, 3)) == 0:
        fields += draw(st.lists(st.sampled_from(EXTRAS), max_size=2))
    body = draw(BODIES)
    framing = draw(st.sampled_from(["none", *["length"] * 5, *["chunked"] * 5, "odd length", "odd chunks", "both"]))
    if framing in ("length", "both"):
        fields.append(b"Content-Length: %d\r\n" % len(body))
    if framing == "odd length":
        size = max(0, len(body) + draw(st.integers(-3, 3)))
        form = draw(LENGTHS)
        fields.append(b"Content-Length: " + form % ((size,) * form.count(b"%d")) + b"\r\n")
    if framing in ("chunked", "odd chunks", "both"):
        odd = framing == "odd chunks"
        fields.append(b"Transfer-Encoding: " + (draw(CODINGS) if odd else b"chunked") + b"\r\n")
        places = sorted(draw(st.lists(st.integers(0, len(body)), max_size=3)))
        cuts = [0, *places, len(body)]
        parts = [part for start, end in itertools.pairwise(cuts) if (part := body[start:end])]
        ends = draw(st.sampled_from([b"\r\n"] * 5 + [b"\n", b"", b"x\r\n"])) if odd else b"\r\n"
        body = b"".join((draw(SIZES) if odd else b"%x") % len(part) + b"\r\n" + part + ends for part in parts)
        body += b"0\r\n" + draw(TRAILERS) + b"\r\n"
    if framing == "none":
        body = b""
    fields = draw(st.permutations(fields))
    line = b"%s /%d HTTP/%s\r\n" % (method, draw(st.integers(0, 9)), version)
    rest = b"".join(fields) + b"\r\n" + body
    if draw(st.integers(0, 15)) == 0:
        place, odd_byte = (
            draw(st.integers(0, len(rest))),
            draw(st.sampled_from([b"\0", b"\r", b"\n", b"\t", b":", b"9", b";"])),
        )
        rest = rest[:place] + odd_byte + rest[place + draw(st.integers(0, 1)) :]
    return line + rest


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(st.lists(requests(), min_size=1, max_size=3), st.lists(st.integers(0, 2000), max_size=40))
def check_random_requests(runner: asyncio.Runner, raws: list[bytes], cuts: list[int]) -> None:
    raw = b"".join(raws)
    places = sorted({cut % len(raw) for cut in cuts})
    segments = [raw[start:stop] for start, stop in itertools.pairwise([0, *places, len(raw)])]
    ours = runner.run(exchange(Connection, segments))
    theirs = runner.run(exchange(ReferenceProtocol, [raw]))
    compare(ours, theirs)


def test_random_requests_have_the_answers_of_a_reference_parser(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    end = time.monotonic() + FUZZ_SECONDS
    with asyncio.Runner() as runner:
        while time.monotonic() < end:
            check_random_requests(runner)


def compare(ours: Exchange, theirs: Exchange) -> None:
    if ours.outcome != theirs.outcome:
        *same, last = ours.answers
        assert ours.outcome[:-1] == theirs.outcome[: len(same)], (ours, theirs)
        assert 400 <= last.code < 500, (ours, theirs)
        assert last.closes, (ours, theirs)
        assert ours.closed, (ours, theirs)
    # What was not answered was not acted on.
    assert ours.applied == [answer.seen for answer in ours.answers if answer.code == 200], (ours, theirs)
