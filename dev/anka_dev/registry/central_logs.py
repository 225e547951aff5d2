"""Central logs in a registry's directory: a file for each service and machine, `SERVICE/MACHINE.log`.

The vendor's documentation names the directory, `files/central-logs`; what it looks like inside is our own choice.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from anka_dev.registry.catalog import CatalogError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}")


class CentralLogs:
    """Raises CatalogError for names that lead elsewhere, and for logs that nobody has sent."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def add(self, service: str, machine: str, content: str) -> None:
        path = self._file(service, machine)
        path.parent.mkdir(parents=True, exist_ok=True)
        ending = "" if content.endswith("\n") or not content else "\n"
        with path.open("a", encoding="utf-8") as file:
            file.write(content + ending)

    def all(self) -> list[dict[str, Any]]:
        """Size in bytes, time of the last change in epoch seconds."""
        found = []
        for path in sorted(self._directory.glob("*/*.log")):
            seen = path.stat()
            row = {"service": path.parent.name, "machine_name": path.stem}
            found.append({**row, "size": seen.st_size, "modified": int(seen.st_mtime)})
        return found

    def path(self, service: str, machine: str) -> Path:
        path = self._file(service, machine)
        if not path.is_file():
            raise CatalogError(f"no log of {service} on {machine}")
        return path

    def start(self, path: Path, last_bytes: int | None) -> int:
        """Where the last bytes begin: a line is given whole or not at all."""
        size = path.stat().st_size
        if last_bytes is None or last_bytes >= size:
            return 0
        with path.open("rb") as file:
            file.seek(size - last_bytes - 1)
            file.readline()
            return file.tell()

    def _file(self, service: str, machine: str) -> Path:
        for name in (service, machine):
            if not NAME.fullmatch(name):
                raise CatalogError(f"bad name {name[:100]!r}")
        return self._directory / service / f"{machine}.log"
