"""The files of --pkg-dir."""

import hashlib
import re
import stat
from pathlib import Path

from starlette.responses import FileResponse, Response

from anka_shim.failure import Failure

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,199}")
"""Valid file names: nothing that leads elsewhere, and nothing hidden."""


def checksum_of(directory: Path | None, name: str) -> str | None:
    """SHA-256 of a file in the directory, None if it does not exist."""
    if directory is None or not NAME.fullmatch(name):
        return None
    try:
        with (directory / name).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def file_response(directory: Path | None, name: str) -> Response:
    """A file in the directory itself. Its contents cannot be listed. Raises Failure."""
    if directory is None:
        raise Failure("there are no packages here: start the API shim with --pkg-dir", code=404)
    if NAME.fullmatch(name):
        path = directory / name
        try:
            found = path.stat()
        except OSError:
            found = None
        if found is not None and stat.S_ISREG(found.st_mode):
            return FileResponse(path, media_type="application/octet-stream", stat_result=found)
    raise Failure("no such package", code=404)
