"""Writes files whole or not at all."""

import os
import tempfile
from pathlib import Path


def write_private(path: Path, content: bytes | str) -> Path:
    """Replace ``path`` atomically, readable by its owner only (0600); returns ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as stream:
        try:
            stream.write(content.encode() if isinstance(content, str) else content)
            stream.flush()
            os.replace(stream.name, path)
        except BaseException:
            os.unlink(stream.name)
            raise
    return path
