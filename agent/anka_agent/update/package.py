"""Packages of the agent: downloaded, verified and unpacked. Nothing of one runs before its checksum is right, and its
signature, where a key is configured."""

import asyncio
import gzip
import hashlib
import io
import shutil
import tarfile
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp

from anka_agent.update.signature import SignatureError, verify
from anka_runtime.session import AnswerError, open_session

MAX_BYTES = 512 << 20
UNPACKED_BYTES = 1 << 30
ENTRIES = 50_000
TEXT_BYTES = 4096
"""Longest checksum, or signature."""
CHUNK_BYTES = 1 << 20
TIMEOUT = aiohttp.ClientTimeout(total=900, sock_connect=10, sock_read=60)
TRIES = 3
TRY_AGAIN_SECONDS = 2.0


class PackageError(Exception):
    """This package can't be used; str() is one line that says why."""


class _Away(Exception):
    """The server failed; it may answer a little later."""


async def fetch(url: str, checksum: str | None, directory: Path, key: str = "") -> None:
    """Make `directory` from the package at `url`. It exists as a whole or not at all. Raises PackageError.

    `checksum`: SHA-256 that it must have; what `url`.sha256 says if None, which guards against damage, not malice.
    `key`: who must have signed it, as the version that `directory` is called; `url`.sig is the signature.
    """
    part = directory.with_name(directory.name + ".part")
    archive = directory.with_name(directory.name + ".download")
    try:
        async with open_session(most_bytes=TEXT_BYTES, timeout=TIMEOUT) as session:
            wanted = checksum or _first_word(await _retry(lambda: _text(session, f"{url}.sha256")), url)
            found = await _retry(lambda: _download(session, url, archive))
            signature = await _retry(lambda: _text(session, f"{url}.sig")) if key else ""
        if found != wanted:
            raise PackageError(f"{url} has the SHA-256 {found} instead of {wanted}: it is damaged, or another package")
        if key:
            await asyncio.to_thread(_verify, archive, signature, key, directory.name, url)
        await asyncio.to_thread(_unpack, archive, part, url)
        await asyncio.to_thread(shutil.rmtree, directory, ignore_errors=True)
        part.rename(directory)
    except OSError as error:
        raise PackageError(f"the package can't be stored below {directory.parent}: {error.strerror or error}") from None
    finally:
        archive.unlink(missing_ok=True)
        await asyncio.to_thread(shutil.rmtree, part, ignore_errors=True)


async def _retry(work: Callable[[], Awaitable[str]]) -> str:
    """Try again: a server may be restarting."""
    for left in reversed(range(TRIES)):
        try:
            return await work()
        except AnswerError as error:
            raise PackageError(f"the package can't be downloaded: {error}") from None
        except (_Away, aiohttp.ClientError, TimeoutError) as error:
            if left == 0:
                words = str(error) or type(error).__name__
                raise PackageError(f"the package can't be downloaded: {words}") from None
            await asyncio.sleep(TRY_AGAIN_SECONDS)
    raise AssertionError


async def _text(session: aiohttp.ClientSession, url: str) -> str:
    async with session.get(url) as answer:
        _check(answer, url)
        return (await answer.read()).decode(errors="replace")


async def _download(session: aiohttp.ClientSession, url: str, path: Path) -> str:
    """The file's SHA-256."""
    digest, size = hashlib.sha256(), 0
    async with session.get(url) as answer:
        _check(answer, url)
        with path.open("wb") as file:
            async for chunk in answer.content.iter_chunked(CHUNK_BYTES):
                size += len(chunk)
                if size > MAX_BYTES:
                    raise PackageError(f"{url} is larger than {MAX_BYTES >> 20} MiB: no package of the agent is")
                digest.update(chunk)
                file.write(chunk)
    return digest.hexdigest()


def _check(answer: aiohttp.ClientResponse, url: str) -> None:
    if answer.status >= 500:
        raise _Away(f"{url} answers HTTP {answer.status}")
    if answer.status != 200:
        raise PackageError(f"{url} answers HTTP {answer.status}: is the package there?")


def _first_word(text: str, url: str) -> str:
    """As sha256sum and shasum write it."""
    word = (text.split() or [""])[0].lower()
    if len(word) != 64 or set(word) - set("0123456789abcdef"):
        raise PackageError(f"{url}.sha256 is no SHA-256: make it with `shasum -a 256`")
    return word


def _verify(archive: Path, signature: str, key: str, version: str, url: str) -> None:
    try:
        verify(archive, signature, key, version)
    except SignatureError as error:
        raise PackageError(f"{url}.sig: {error}") from None


class _LimitedStream(io.RawIOBase):
    """An unpacked archive, which may be a thousand times longer than the packed one."""

    def __init__(self, stream: gzip.GzipFile, url: str) -> None:
        self._stream = stream
        self._url = url
        self._left = UNPACKED_BYTES

    def read(self, size: int = -1, /) -> bytes:
        # Also before a single read: a header of the archive says how long it is, and is read as a whole.
        if not 0 <= size <= self._left:
            raise PackageError(f"{self._url} is larger than {UNPACKED_BYTES >> 20} MiB when it is unpacked")
        self._left -= size
        return self._stream.read(size)


def _unpack(archive: Path, part: Path, url: str) -> None:
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(mode=0o700, parents=True)
    try:
        with gzip.open(archive) as stream, tarfile.open(fileobj=_LimitedStream(stream, url), mode="r|") as tar:
            for number, entry in enumerate(tar):
                if number >= ENTRIES:
                    raise PackageError(f"{url} has more than {ENTRIES} files: no package of the agent has")
                # The filter refuses what would lie outside, links that lead there, and what is neither.
                tar.extract(entry, part, filter="data")
    except (tarfile.TarError, EOFError, ValueError, zlib.error, gzip.BadGzipFile) as error:
        raise PackageError(f"{url} is no package: {error}") from None
    if not (part / "anka_agent" / "__main__.py").is_file():
        raise PackageError(f"{url} is no package of the agent: it has no anka_agent/__main__.py")
