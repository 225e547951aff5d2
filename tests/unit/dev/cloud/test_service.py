"""One of our processes as a child: its readiness, and its end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from anka_dev.cloud.service import Service
from localkube.errors import DevError
from localkube.free_ports import HOST, free_port

# Ready once the file named last is there; /metrics always answers.
PROGRAM = """
import http.server, pathlib, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        ready = self.path == "/metrics" or pathlib.Path(sys.argv[2]).exists()
        body = b"up 1" if ready else b"waiting for the cache"
        self.send_response(200 if ready else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    (tmp_path / "some_service.py").write_text(PROGRAM)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    port = free_port()
    arguments = [str(port), str(tmp_path / "ready")]
    made = Service("it", "some_service", arguments, health_port=port, log=tmp_path / "it.log", directory=tmp_path)
    yield made
    made.stop()


def test_it_is_ready_when_it_says_so(service: Service, tmp_path: Path) -> None:
    assert not service.running
    service.start()
    deadline = time.monotonic() + 60
    while service.readiness() != (False, "waiting for the cache"):
        assert time.monotonic() < deadline, service.readiness()
        time.sleep(0.05)
    with pytest.raises(DevError, match="it is not ready after 1 s"):
        service.wait_ready(1)
    (tmp_path / "ready").touch()
    assert service.wait_ready().running
    assert service.metrics() == "up 1"
    service.kill()
    assert (service.running, service.exit_code) == (False, 137)
    with pytest.raises(DevError, match="it is not running"):
        service.pid  # noqa: B018
    assert service.restart().wait_ready().running


def test_one_that_ends_is_named_with_its_last_line(service: Service, tmp_path: Path) -> None:
    (tmp_path / "some_service.py").write_text("raise SystemExit('no such flag')")
    with pytest.raises(DevError, match=r"it ended with code 1: no such flag \(log: "):
        service.start().wait_ready()


def test_free_port_prefers_the_wanted_one() -> None:
    port = free_port()
    assert free_port(port) == port
    assert HOST == "127.0.0.1"
