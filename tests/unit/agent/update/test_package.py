from __future__ import annotations

import gzip
import hashlib
import io
import os
import subprocess
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from anka_agent.update import package
from anka_agent.update.package import PackageError, fetch

MAIN = "anka_agent/__main__.py"


def archive(*entries: tuple[str, bytes], link: tuple[str, str] | None = None) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        for name, content in entries:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
        if link is not None:
            entry = tarfile.TarInfo(link[0])
            entry.type, entry.linkname = tarfile.SYMTYPE, link[1]
            tar.addfile(entry)
    return file.getvalue()


GOOD = archive((MAIN, b"print()"))
SUM = hashlib.sha256(GOOD).hexdigest()


class Server:
    """Answers with `files`; as often as `away` says with 503 first."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.away = 0
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        if self.away > 0:
            self.away -= 1
            return web.Response(status=503)
        content = self.files.get(request.path)
        return web.Response(body=content) if content is not None else web.Response(status=404)


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    monkeypatch.setattr(package, "TRY_AGAIN_SECONDS", 0.0)
    server = Server()
    app = web.Application()
    app.router.add_get("/{file}", server.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/p.tar.gz"
    yield server
    await runner.cleanup()


# Not the sum itself: gzip puts the time into it, and every worker must find the same cases.
@pytest.mark.parametrize("line", ["{}", "{}  p.tar.gz\n", "{} *p.tar.gz"])
async def test_the_checksum_beside_it(server: Server, tmp_path: Path, line: str) -> None:
    server.files = {"/p.tar.gz": GOOD, "/p.tar.gz.sha256": line.format(SUM if line == "{}" else SUM.upper()).encode()}
    await fetch(server.url, None, tmp_path / "2")
    assert (tmp_path / "2" / MAIN).read_bytes() == b"print()"
    assert os.listdir(tmp_path) == ["2"]


async def test_a_given_checksum_is_what_counts(server: Server, tmp_path: Path) -> None:
    other = archive((MAIN, b"evil()"))
    server.files = {"/p.tar.gz": other, "/p.tar.gz.sha256": hashlib.sha256(other).hexdigest().encode()}
    with pytest.raises(PackageError, match=f"instead of {SUM}"):
        await fetch(server.url, SUM, tmp_path / "2")
    assert os.listdir(tmp_path) == []


async def test_what_was_there_is_replaced(server: Server, tmp_path: Path) -> None:
    (tmp_path / "2").mkdir()
    (tmp_path / "2" / "old").touch()
    server.files = {"/p.tar.gz": GOOD}
    await fetch(server.url, SUM, tmp_path / "2")
    assert not (tmp_path / "2" / "old").exists()


async def test_a_server_that_is_away_for_a_moment(server: Server, tmp_path: Path) -> None:
    server.files, server.away = {"/p.tar.gz": GOOD}, 2
    await fetch(server.url, SUM, tmp_path / "2")
    server.away = 3
    with pytest.raises(PackageError, match="answers HTTP 503"):
        await fetch(server.url, SUM, tmp_path / "3")


BAD = {
    "no tar": (b"<html>", "is no package: "),
    "cut off": (GOOD[:40], "is no package: "),
    "of something else": (archive(("setup.py", b"")), "no package of the agent"),
    "leads outside": (archive((MAIN, b""), ("../x", b"")), "is no package: "),
    "links outside": (archive((MAIN, b""), link=("x", "/etc/passwd")), "is no package: "),
}


@pytest.mark.parametrize("name", BAD)
async def test_bad_packages(server: Server, tmp_path: Path, name: str) -> None:
    content, words = BAD[name]
    server.files = {"/p.tar.gz": content}
    with pytest.raises(PackageError, match=words):
        await fetch(server.url, hashlib.sha256(content).hexdigest(), tmp_path / "2")
    assert os.listdir(tmp_path) == []


async def test_no_package_and_no_checksum(server: Server, tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="answers HTTP 404: is the package there"):
        await fetch(server.url, SUM, tmp_path / "2")
    server.files = {"/p.tar.gz": GOOD, "/p.tar.gz.sha256": b"none"}
    with pytest.raises(PackageError, match="is no SHA-256"):
        await fetch(server.url, None, tmp_path / "2")


async def test_too_large(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "MAX_BYTES", 10)
    server.files = {"/p.tar.gz": GOOD}
    with pytest.raises(PackageError, match="no package of the agent is"):
        await fetch(server.url, SUM, tmp_path / "2")


def pax_header(size: int) -> bytes:
    """An archive whose first header says that it is so long: it would be read as a whole."""
    entry = tarfile.TarInfo("pax")
    entry.type, entry.size = tarfile.XHDTYPE, size
    return gzip.compress(entry.tobuf() + b"x" * size)


BOMBS = {
    "a long file": lambda: archive((MAIN, b"x" * (4 << 20))),
    "many files": lambda: archive((MAIN, b""), *((f"f{number}", b"") for number in range(200))),
    "a long header": lambda: pax_header(4 << 20),
}


@pytest.mark.parametrize("name", BOMBS)
async def test_what_grows_when_it_is_unpacked_is_refused(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(package, "UNPACKED_BYTES", 1 << 20)
    monkeypatch.setattr(package, "ENTRIES", 100)
    content = BOMBS[name]()
    server.files = {"/p.tar.gz": content}
    with pytest.raises(PackageError, match=r"is larger than 1 MiB when it is unpacked|has more than 100 files"):
        await fetch(server.url, hashlib.sha256(content).hexdigest(), tmp_path / "2")
    assert os.listdir(tmp_path) == []


async def test_with_a_key_an_unsigned_package_is_refused(server: Server, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)  # noqa: ASYNC221
    public = key.with_suffix(".pub").read_text()
    server.files = {"/p.tar.gz": GOOD}
    with pytest.raises(PackageError, match=r"p\.tar\.gz\.sig answers HTTP 404"):
        await fetch(server.url, SUM, tmp_path / "2", public)
    server.files["/p.tar.gz.sig"] = b"signed, honestly"
    with pytest.raises(PackageError, match=r"p\.tar\.gz\.sig: is no signature of version 2 by --package-key"):
        await fetch(server.url, SUM, tmp_path / "2", public)
    argv = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(key), "-n", "anka-agent-2"]
    server.files["/p.tar.gz.sig"] = subprocess.run(  # noqa: ASYNC221
        argv, input=GOOD, capture_output=True, check=True
    ).stdout
    await fetch(server.url, SUM, tmp_path / "2", public)
    assert (tmp_path / "2" / MAIN).read_bytes() == b"print()"
    with pytest.raises(PackageError, match="is no signature of version 3"):
        await fetch(server.url, SUM, tmp_path / "3", public)
