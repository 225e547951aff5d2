"""A real anka-shim process against a real kube-apiserver, with the rights of its own ServiceAccount."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

PATIENCE_SECONDS = 60.0


@dataclass
class ShimProcess:
    process: subprocess.Popen[str]
    log: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""
    verify: ssl.SSLContext | bool = True
    """Of our clients, where it serves HTTPS."""
    listening: threading.Event = field(default_factory=threading.Event)
    reader: threading.Thread | None = None

    def follow(self) -> None:
        """Read its log until it ends."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            try:
                record = json.loads(line)
            except json.JSONDecodeError:
                record = {"message": line.rstrip()}
            self.log.append(record)
            if record["message"] == "listening":
                self.url = f"{record.get('scheme', 'http')}://127.0.0.1:{record['port']}"
                self.listening.set()

    def wait_ready(self) -> None:
        self.until_true(lambda: self.get("/readyz").status_code == 200)

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Whatever it answers, over a connection of its own."""
        return httpx.get(self.url + path, **{"timeout": PATIENCE_SECONDS, "verify": self.verify, **options})

    def wait_end(self) -> int:
        """Its exit code, once it has ended and its log is read."""
        code = self.process.wait(PATIENCE_SECONDS)
        assert self.reader is not None
        self.reader.join(PATIENCE_SECONDS)
        return code

    def call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """The envelope, over a connection of its own."""
        response = httpx.request(
            method, self.url + path, **{"timeout": PATIENCE_SECONDS, "verify": self.verify, **options}
        )
        assert response.status_code == 200, response.text
        answer = response.json()
        assert isinstance(answer, dict)
        return answer

    def body(self, method: str, path: str, **options: Any) -> Any:
        answer = self.call(method, path, **options)
        assert answer["status"] == "OK", answer
        return answer.get("body")

    def states(self) -> dict[str, str]:
        return {item["instance_id"]: item["vm"]["instance_state"] for item in self.body("GET", "/api/v1/vm")}

    def until_true(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not true():
            assert time.monotonic() < deadline, self.log
            time.sleep(0.02)

    def until(self, id_: str, state: str | None) -> None:
        """Wait until the list shows this state of an instance; None: until it does not show it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.states().get(id_) != state:
            assert time.monotonic() < deadline, self.states()
            time.sleep(0.02)


@contextmanager
def shim_process(
    kubeconfig: Path, *flags: str, port: int = 0, verify: ssl.SSLContext | bool = True
) -> Iterator[ShimProcess]:
    command = [sys.executable, "-m", "anka_shim", f"--kubeconfig={kubeconfig}", f"--port={port}", *flags]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        shim = ShimProcess(process, verify=verify)
        shim.reader = reader = threading.Thread(target=shim.follow, daemon=True)
        reader.start()
        try:
            assert shim.listening.wait(PATIENCE_SECONDS), shim.log
            yield shim
        finally:
            process.kill()
            process.wait()
            reader.join()
