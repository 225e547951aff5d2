"""Writes files whole or not at all."""

import os
import tempfile
from pathlib import Path


def write_private(path: Path, content: bytes | str) -> Path:
    """Replace ``path`` atomically; only its owner can read it (0600). A reader never sees half of it."""
    data = content.encode() if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    fd, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp gives 0600
    try:
        with os.fdopen(fd, "wb") as stream:
            stream.write(data)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    return path
