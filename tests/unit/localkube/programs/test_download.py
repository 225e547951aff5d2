import hashlib
import io
import socket
import tarfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from localkube.environment import Environment
from localkube.programs import download as module
from localkube.programs import versions
from localkube.programs.download import DownloadError, NotPublished, download
from localkube.programs.versions import Target

LINUX = Target("linux", "amd64")
RELEASE = f"v{versions.KUBERNETES}"
ARCHIVE = f"/e/envtest-{RELEASE}/envtest-{RELEASE}-linux-amd64.tar.gz"
MANAGER = f"/k/{RELEASE}/bin/linux/amd64/kube-controller-manager"
ALL = set(versions.COMPONENTS)


def archive(*names: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name in names:
            content = f"binary {name}".encode()
            info = tarfile.TarInfo(f"controller-tools/envtest/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


GOOD = archive("kube-apiserver", "etcd", "kubectl")


def sha(algorithm: str, data: bytes) -> bytes:
    return f"{hashlib.new(algorithm, data).hexdigest()}  file\n".encode()


@contextmanager
def serving(files: dict[str, bytes], cut: int = 0) -> Iterator[str]:
    """A web server with these files; it leaves out the last ``cut`` bytes of each."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = files.get(self.path)
            if body is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) - cut])

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def env(envtest: str, kubernetes: str) -> Environment:
    return Environment({"ACME_ENVTEST_URL": envtest, "ACME_KUBERNETES_URL": kubernetes}, "ACME", "acme")


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_all_three_arrive_checked_and_executable(tmp_path: Path) -> None:
    files = {
        ARCHIVE: GOOD,
        f"{ARCHIVE}.sha512": sha("sha512", GOOD),
        MANAGER: b"manager",
        f"{MANAGER}.sha256": sha("sha256", b"manager"),
    }
    said: list[str] = []
    with serving(files) as base:
        download(ALL, tmp_path, LINUX, env(f"{base}/e/", f"{base}/k"), said.append)
    assert names(tmp_path) == sorted(ALL)
    assert (tmp_path / "etcd").read_text() == "binary etcd"
    assert all(file.stat().st_mode & 0o111 for file in tmp_path.iterdir())
    assert not [line for line in said if "not checked" in line]


def test_without_a_published_checksum_it_says_so(tmp_path: Path) -> None:
    said: list[str] = []
    with serving({MANAGER: b"manager"}) as base:
        download({versions.CONTROLLER_MANAGER}, tmp_path, LINUX, env(f"{base}/e/", f"{base}/k"), said.append)
    assert said[-1] == "kube-controller-manager: no sha256 checksum is published, so it is not checked"


@pytest.mark.parametrize(
    ("files", "cut", "kind", "message"),
    [
        ({}, 0, NotPublished, "HTTP 404 for .*tar.gz"),
        ({ARCHIVE: GOOD, f"{ARCHIVE}.sha512": sha("sha512", b"other")}, 0, DownloadError, "published is"),
        ({ARCHIVE: b"no archive"}, 0, DownloadError, "is no readable archive"),
        ({ARCHIVE: archive("etcd")}, 0, DownloadError, "lacks kube-apiserver"),
        ({ARCHIVE: GOOD}, 7, DownloadError, "broke off after"),
    ],
)
def test_bad_files_are_refused(
    tmp_path: Path, files: dict[str, bytes], cut: int, kind: type[DownloadError], message: str
) -> None:
    with serving(files, cut) as base, pytest.raises(kind, match=message) as error:
        download(ALL, tmp_path, LINUX, env(f"{base}/e/", f"{base}/k"), lambda _: None)
    assert error.value.reachable
    assert names(tmp_path) == []


def test_macs_get_no_controller_manager_from_the_release(tmp_path: Path) -> None:
    name = f"envtest-{RELEASE}-darwin-arm64.tar.gz"
    with serving({f"/e/envtest-{RELEASE}/{name}": GOOD, MANAGER: b"linux"}) as base:
        download(ALL, tmp_path, Target("darwin", "arm64"), env(f"{base}/e/", f"{base}/k"), lambda _: None)
    assert names(tmp_path) == ["etcd", "kube-apiserver"]


def test_empty_addresses_forbid_downloads(tmp_path: Path) -> None:
    download(ALL, tmp_path, LINUX, env("", ""), pytest.fail)
    assert names(tmp_path) == []


def test_a_refused_connection_counts_as_unreachable(tmp_path: Path) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # bound, not listening
        base = f"http://127.0.0.1:{bound.getsockname()[1]}"
        with pytest.raises(DownloadError) as error:
            download(ALL, tmp_path, LINUX, env(f"{base}/e/", f"{base}/k"), lambda _: None)
    assert not error.value.reachable


def test_a_silent_host_is_given_up_soon() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        started = time.monotonic()
        with pytest.raises(DownloadError, match=r"no answer within 0\.3 s") as error:
            module.open_url(f"http://127.0.0.1:{silent.getsockname()[1]}/", timeout=0.3)
    assert time.monotonic() - started < 30
    assert not error.value.reachable


def test_an_offline_machine_waits_at_most_ten_seconds() -> None:
    assert module.FIRST_ANSWER_SECONDS <= 10
