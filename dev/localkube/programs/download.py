"""Downloads release binaries: the envtest archive, and the controller manager it lacks."""

import hashlib
import os
import queue
import tarfile
import tempfile
import threading
import time
import urllib.error
import urllib.request
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import IO

from localkube.environment import Environment
from localkube.programs import versions
from localkube.programs.versions import Target
from localkube.progress import Heartbeat, Say

ENVTEST_URL = "https://github.com/kubernetes-sigs/controller-tools/releases/download"
KUBERNETES_URL = "https://dl.k8s.io/release"
# Name lookup, connection and first answer together: a machine without a network goes on to building soon.
FIRST_ANSWER_SECONDS = 8.0
_READ_SECONDS = 15.0
_TOTAL_SECONDS = 900.0
_CHUNK = 1 << 18
_MAX_CHECKSUM = 4096


class DownloadError(Exception):
    """Why a download failed, in one line. ``reachable``: whether its host answered at all."""

    def __init__(self, message: str, *, reachable: bool) -> None:
        super().__init__(message)
        self.reachable = reachable


class NotPublished(DownloadError):
    """The host answered that there is no such file."""


def _open(url: str, answers: "queue.Queue[HTTPResponse | Exception]") -> None:
    try:
        answers.put(urllib.request.urlopen(url, timeout=_READ_SECONDS))
    except Exception as error:
        answers.put(error)


def open_url(url: str, timeout: float = FIRST_ANSWER_SECONDS) -> HTTPResponse:
    """The answer to a GET of ``url`` within ``timeout`` seconds, else DownloadError."""
    answers: queue.Queue[HTTPResponse | Exception] = queue.Queue()
    # In a thread, because a name lookup has no timeout; an abandoned one ends with the process.
    threading.Thread(target=_open, args=(url, answers), daemon=True).start()
    try:
        answer = answers.get(timeout=timeout)
    except queue.Empty:
        raise DownloadError(f"no answer within {timeout:g} s from {url}", reachable=False) from None
    if isinstance(answer, urllib.error.HTTPError):
        kind = NotPublished if answer.code in (404, 410) else DownloadError
        raise kind(f"HTTP {answer.code} for {url}", reachable=True)
    if isinstance(answer, urllib.error.URLError):
        raise DownloadError(f"{answer.reason} ({url})", reachable=False)
    if isinstance(answer, Exception):
        raise DownloadError(f"{answer} ({url})", reachable=False)
    return answer


def _copy(response: HTTPResponse, to: IO[bytes], label: str, beat: Heartbeat) -> None:
    deadline = time.monotonic() + _TOTAL_SECONDS
    expected = response.length
    done = 0
    try:
        while chunk := response.read(_CHUNK):
            to.write(chunk)
            done += len(chunk)
            beat.beat(f"downloading {label}: {done / 1e6:.0f} MB")
            if time.monotonic() > deadline:
                raise DownloadError(f"{label} took over {_TOTAL_SECONDS:g} s", reachable=True)
    except (OSError, HTTPException) as error:
        raise DownloadError(f"{label} broke off after {done} bytes: {error}", reachable=True) from None
    if expected is not None and done != expected:
        raise DownloadError(f"{label} broke off after {done} of {expected} bytes", reachable=True)


def fetch_checksum(url: str, algorithm: str) -> str | None:
    """The checksum beside a file (``url`` + ``.sha512``…), in hex; None when there is none."""
    try:
        with open_url(f"{url}.{algorithm}") as response:
            text = response.read(_MAX_CHECKSUM).decode("ascii", errors="replace")
    except NotPublished:
        return None
    words = text.split()
    return words[0].lower() if words else None


def fetch(url: str, to: Path, algorithm: str, say: Say) -> None:
    """Save ``url`` as the file ``to``, checked against the published checksum when there is one."""
    label = url.rsplit("/", 1)[-1]
    with open_url(url) as response, to.open("wb") as stream:
        say(f"downloading {url}")
        _copy(response, stream, label, Heartbeat(say))
    if (wanted := fetch_checksum(url, algorithm)) is None:
        say(f"{label}: no {algorithm} checksum is published, so it is not checked")
        return
    with to.open("rb") as stream:
        actual = hashlib.file_digest(stream, algorithm).hexdigest()
    if actual != wanted:
        raise DownloadError(f"{label} has {algorithm} {actual[:16]}…, published is {wanted[:16]}…", reachable=True)


def _install(file: Path, to: Path) -> None:
    file.chmod(0o755)
    os.replace(file, to)


def _unpack(archive: Path, names: set[str], into: Path) -> None:
    try:
        with tarfile.open(archive) as tar:
            members = {Path(m.name).name: m for m in tar.getmembers() if m.isfile()}
            if missing := names - members.keys():
                raise DownloadError(f"{archive.name} lacks {', '.join(sorted(missing))}", reachable=True)
            for name in names:
                source = tar.extractfile(members[name])
                assert source is not None  # a regular file
                with (into / name).open("wb") as target:
                    while chunk := source.read(_CHUNK):
                        target.write(chunk)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise DownloadError(f"{archive.name} is no readable archive: {error}", reachable=True) from None


def download(missing: set[str], into: Path, target: Target, env: Environment, say: Say) -> None:
    """Put release binaries for what is ``missing`` into the folder ``into``. DownloadError when one is not available.

    The settings ENVTEST_URL and KUBERNETES_URL replace the base addresses; empty, they forbid the download.
    """
    release = f"v{versions.KUBERNETES}"
    envtest, kubernetes = (
        (default if (chosen := env.get(setting)) is None else chosen).rstrip("/")
        for setting, default in (("ENVTEST_URL", ENVTEST_URL), ("KUBERNETES_URL", KUBERNETES_URL))
    )
    with tempfile.TemporaryDirectory(dir=into, prefix=".download-") as folder:
        scratch = Path(folder)
        if (wanted := missing & {versions.STORE, versions.API_SERVER}) and envtest:
            archive = scratch / f"envtest-{release}-{target.os}-{target.arch}.tar.gz"
            fetch(f"{envtest}/envtest-{release}/{archive.name}", archive, "sha512", say)
            _unpack(archive, wanted, scratch)
            for name in wanted:
                _install(scratch / name, into / name)
        # Server binaries are released for Linux only.
        if versions.CONTROLLER_MANAGER in missing and target.os == "linux" and kubernetes:
            file = scratch / versions.CONTROLLER_MANAGER
            fetch(f"{kubernetes}/{release}/bin/{target.os}/{target.arch}/{file.name}", file, "sha256", say)
            _install(file, into / file.name)
