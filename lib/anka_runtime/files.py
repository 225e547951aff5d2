"""Atomic writes of files, and reads of files that others write."""

import os
import tempfile
from pathlib import Path

FILE_BYTES = 4 << 20
"""Longest file that is read as a whole: kubeconfigs, tokens, settings and journals are far shorter."""


def read_text(path: Path) -> str:
    """Raises OSError; ValueError for a file of more than FILE_BYTES, or one that is not UTF-8."""
    with path.open("rb") as file:
        content = file.read(FILE_BYTES + 1)
    if len(content) > FILE_BYTES:
        raise ValueError(f"{path} is longer than {FILE_BYTES >> 20} MiB")
    return content.decode("utf-8")


def write_private(path: Path, content: bytes | str) -> Path:
    """Replace ``path`` atomically. Only its owner can read it (0600). A reader never sees a partial file."""
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
