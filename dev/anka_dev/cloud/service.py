"""One of our processes as a child of this one, with its log and its health endpoint."""

from __future__ import annotations

import contextlib
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from localkube.controlplane.process import Component
from localkube.controlplane.readiness import wait_until
from localkube.errors import DevError
from localkube.free_ports import HOST


class Service:
    """``python -m MODULE ARGUMENTS``, whose /readyz is at ``health_port``. It ends when this process does."""

    def __init__(
        self, name: str, module: str, arguments: Sequence[str], *, health_port: int, log: Path, directory: Path
    ) -> None:
        self.name = name
        self.log = log
        self.argv = [sys.executable, "-m", module, *arguments]
        self._health = f"http://{HOST}:{health_port}/readyz"
        self._directory = directory
        self._component: Component | None = None

    @property
    def pid(self) -> int:
        """The id of the process itself. DevError when it is not running."""
        if self._component is None or not self._component.running:
            raise DevError(f"{self.name} is not running")
        return self._component.pid

    @property
    def running(self) -> bool:
        return self._component is not None and self._component.running

    @property
    def exit_code(self) -> int | None:
        return None if self._component is None else self._component.exit_code

    def start(self) -> Service:
        """Start it; does not wait."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._component = Component(self.name, self.argv, self.log, self._directory)
        return self

    def ready(self) -> bool:
        """Whether /readyz reports ready now."""
        return self.readiness()[0]

    def readiness(self) -> tuple[bool, str]:
        """Whether /readyz reports ready, and its text."""
        try:
            with urllib.request.urlopen(self._health, timeout=5) as answer:
                return True, str(answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return False, error.read().decode()
        except OSError as error:
            return False, str(error)

    def metrics(self) -> str:
        """The page that Prometheus scrapes. Raises OSError when it does not answer."""
        with urllib.request.urlopen(self._health.replace("/readyz", "/metrics"), timeout=5) as answer:
            return str(answer.read().decode())

    def wait_ready(self, seconds: float = 60) -> Service:
        """Return once ready. DevError as soon as it ends, or after ``seconds``."""
        assert self._component is not None, f"{self.name} was not started"
        wait_until(self.ready, [self._component], self._component, seconds)
        return self

    def kill(self) -> None:
        """SIGKILL, as a crash; returns once it is gone."""
        if self._component is not None:
            self._component.kill()

    def stop(self) -> None:
        """SIGTERM, then SIGKILL when it takes too long; returns once it is gone."""
        if self._component is not None:
            self._component.stop()

    def restart(self) -> Service:
        """Start it again; what still runs is stopped first. Does not wait."""
        with contextlib.suppress(DevError):
            self.stop()
        return self.start()
