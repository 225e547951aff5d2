"""Central logs in a registry's directory: a file for each service and machine, `SERVICE/MACHINE.log`.

The vendor's documentation names the directory, `files/central-logs`; what it looks like inside is our own choice. Names
are percent-encoded: the vendor's own scripts send names with spaces, such as `AWS Cloud Connect Service`.
"""

from __future__ import annotations

import asyncio
import tarfile
import tempfile
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, unquote

from anka_sim.registry.catalog import CatalogError

LONGEST = 200


class CentralLogFiles:
    """Raises CatalogError for names that are too long, and for logs that do not exist."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._changed = asyncio.Event()
        """Set, and replaced, when a log has grown."""

    def add(self, service: str, machine: str, content: str) -> None:
        path = self._file(service, machine)
        path.parent.mkdir(parents=True, exist_ok=True)
        ending = "" if content.endswith("\n") or not content else "\n"
        with path.open("a", encoding="utf-8") as file:
            file.write(content + ending)
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Until a log has grown, and no longer than this."""
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return

    def all(self) -> list[dict[str, Any]]:
        """Size in bytes, time of the last change in epoch seconds."""
        found = []
        for path in sorted(self._directory.glob("*/*.log")):
            seen = path.stat()
            row = {"service": unquote(path.parent.name), "machine_name": unquote(path.stem)}
            found.append({**row, "size": seen.st_size, "modified": int(seen.st_mtime)})
        return found

    def path(self, service: str, machine: str) -> Path:
        path = self._file(service, machine)
        if not path.is_file():
            raise CatalogError(f"no log of {service} on {machine}")
        return path

    def archive(self, path: Path) -> IO[bytes]:
        """The log as tar.gz, in a temporary file."""
        packed = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            archive.add(path, f"{unquote(path.parent.name)}/{unquote(path.name)}", recursive=False)
        packed.seek(0)
        return packed

    def find_start(self, path: Path, last_bytes: int | None) -> int:
        """The offset of the first complete line within the last bytes."""
        size = path.stat().st_size
        if last_bytes is None or last_bytes >= size:
            return 0
        with path.open("rb") as file:
            file.seek(size - last_bytes - 1)
            file.readline()
            return file.tell()

    def _file(self, service: str, machine: str) -> Path:
        return self._directory / _encode(service) / f"{_encode(machine)}.log"


def _encode(name: str) -> str:
    """A file name that cannot leave its folder."""
    encoded = quote(name, safe="").replace(".", "%2E")
    if len(encoded) > LONGEST:
        raise CatalogError(f"the name {name[:50]!r}… is too long")
    return encoded
