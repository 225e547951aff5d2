"""Whatever is sent to a shim that is closed, with credentials that are wrong, mutilated or none: no 5xx, no way in, and
nothing about what is inside."""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path

from support.all_logins import NEEDED, Headers, Logins, all_logins, permit
from support.api_keys import ROOT, SEAL_KEY, TOKEN
from support.oidc_provider import sign

SEED = int(os.environ.get("ANKA_TEST_SEED", "1"))
OTHERS = 150
"""Bytes that are no credential; and as many mutilations of each that is one."""
REFUSALS = {400, 401, 413, 429, 431}
TARGETS = ("GET /api/v1/vm", "GET /api/v1/status", "POST /api/v1/vm", "DELETE /api/v1/node", "GET /nope", "GET /docs")
SECRETS = (TOKEN, SEAL_KEY, "client secret/", "Traceback", "anka_shim")


async def ask(address: tuple[str, int], target: str, fields: bytes) -> tuple[int, bytes]:
    """Over a connection of its own, byte for byte."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(f"{target} HTTP/1.1\r\nHost: shim\r\nConnection: close\r\n".encode() + fields + b"\r\n\r\n")
    raw = await asyncio.wait_for(reader.read(), 60)
    writer.close()
    return int(raw.split(b" ", 2)[1]), raw


def judge(target: str, fields: bytes, code: int, raw: bytes) -> None:
    assert code in REFUSALS, (target, fields, raw)
    body = raw.partition(b"\r\n\r\n")[2]
    assert json.loads(body)["status"] == "FAIL", (target, fields, raw)
    for secret in SECRETS:
        assert secret.encode() not in raw, (target, fields, raw)
    assert b"www-authenticate" not in raw.lower()


def garbage(chance: random.Random) -> Iterator[bytes]:
    """Header lines that look like a login a little."""
    starts = (b"Basic ", b"Bearer ", b"basic", b"Negotiate ", b"", b"Basic\t", b"Bearer  ", b"Bearer null")
    names = (b"Authorization", b"Cookie", b"Ssl-Client-Cert", b"Authorization: Bearer x\r\nAuthorization")
    while True:
        content = chance.randbytes(chance.choice((0, 1, 7, 60, 3000)))
        # A line break would begin another header.
        content = bytes(byte for byte in content if byte not in b"\r\n\0")
        yield chance.choice(names) + b": " + chance.choice(starts) + content


def mutilated(chance: random.Random, text: str) -> str:
    """One letter is another, left out or doubled; never at the end, where base64 has bits that count for nothing."""
    place = chance.randrange(len(text) // 8, len(text) - 8)
    # These stand for themselves alone in both alphabets.
    letter = chance.choice([one for one in "Aa0Zz" if one != text[place]])
    return chance.choice((text[:place] + letter + text[place + 1 :], text[:place] + letter + text[place:]))


def changed(chance: random.Random, headers: Headers) -> bytes:
    name = "Cookie" if "Cookie" in headers else "Authorization"
    kind, _, value = headers[name].partition("=" if name == "Cookie" else " ")
    joint = "=" if name == "Cookie" else " "
    return f"{name}: {kind}{joint}{mutilated(chance, value)}".encode()


def bearer(token: str) -> Headers:
    return {"Authorization": f"Bearer {token}"}


async def credentials(logins: Logins) -> list[Headers]:
    return [ROOT, *[await logins.in_group(kind, "all") for kind in ("api key", "oidc", "browser")]]


async def test_nothing_gets_in_and_nothing_gets_out(tmp_path: Path) -> None:
    print(f"ANKA_TEST_SEED={SEED}")
    chance = random.Random(SEED)
    async with all_logins(tmp_path) as logins:
        await permit(logins.shim, {"all": NEEDED})
        url = logins.http.base_url
        address = (url.host, url.port or 0)
        good = await credentials(logins)
        for headers in good:
            assert await logins.code("GET /api/v1/vm", headers) == 200
        written = logins.shim.api.count("create")
        waiting = garbage(chance)
        for _ in range(OTHERS):
            target, fields = chance.choice(TARGETS), next(waiting)
            judge(target, fields, *await ask(address, target, fields))
        for headers in good:
            for _ in range(OTHERS // 3):
                target, fields = chance.choice(TARGETS), changed(chance, headers)
                judge(target, fields, *await ask(address, target, fields))
        # What is good still is, from the very address of the attack.
        for headers in good:
            assert await logins.code("GET /api/v1/vm", headers) == 200
        assert logins.shim.api.count("create") == written
        # What was not right before has to wait there, and nowhere else (a proxy that we trust says where it is from).
        new = sign(logins.provider.claims(logins.shim.clock.now().timestamp(), groups=["all"], sub="another"))
        assert await logins.code("GET /api/v1/vm", bearer(new)) == 429
        assert await logins.code("GET /api/v1/vm", {**bearer(new), "X-Forwarded-For": "192.0.2.9"}) == 200
