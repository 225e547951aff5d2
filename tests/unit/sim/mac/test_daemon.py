from __future__ import annotations

import fcntl
import os
import threading
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from anka_sim.mac.core import SimulatedMac
from anka_sim.mac.daemon import DaemonHypervisor, lock_file
from anka_sim.mac.store import write_json

END_SECONDS = 0.3


class Ending(DaemonHypervisor):
    """The first daemon is ending: it has the lock for a little longer, and answers nobody. The next one answers."""

    def __init__(self, home: str) -> None:
        super().__init__(home)
        self.asked: list[str | None] = []
        self._lock = -1
        self._begins("old")

    def _begins(self, boot_id: str) -> None:
        write_json(os.path.join(self._home, "host.json"), {"boot_id": boot_id})
        self._lock = lock_file(self._home)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def end(self) -> None:
        os.close(self._lock)

    def _spawn(self) -> None:
        self._begins("new")

    def _ask(self, request: dict[str, Any], fds: list[int] | None = None) -> dict[str, Any] | None:
        self.asked.append(self.boot_id())
        if self.asked[-1] == "new":
            return {"vm": {"uuid": request["uuid"]}}
        threading.Timer(END_SECONDS, self.end).start()
        return None


def test_a_start_that_meets_the_last_moment_of_the_daemon_waits_for_the_next(tmp_path: Path) -> None:
    daemon = Ending(str(tmp_path))
    mac = cast(SimulatedMac, SimpleNamespace(store=SimpleNamespace(lock=nullcontext)))
    assert daemon.start(mac, "vm") == {"uuid": "vm"}
    assert daemon.asked == ["old", "new"]
    daemon.end()
