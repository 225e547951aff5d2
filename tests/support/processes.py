"""The end of a process that is nobody's child here."""

from __future__ import annotations

import os
import select

SECONDS = 60.0


def wait_for_end(pid: int) -> None:
    """Return once it has ended. A zombie has, whoever is to ask for its end."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([process], [], [], SECONDS)[0], f"process {pid} still runs"
    finally:
        os.close(process)
