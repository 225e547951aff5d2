"""The real `ssh`, into a VM."""

from __future__ import annotations

import subprocess
from pathlib import Path


def ssh(key: Path, host: str, port: int, command: str) -> subprocess.CompletedProcess[str]:
    options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "BatchMode=yes"]
    flags = [word for option in options for word in ("-o", option)]
    return subprocess.run(
        ["ssh", *flags, "-i", str(key), "-p", str(port), f"anka@{host}", command],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
