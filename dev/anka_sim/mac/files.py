"""Writes files whole or not at all. Every `anka` call imports it, so it costs no start-up time."""

from __future__ import annotations

import os
from _thread import get_ident


def replace_file(path: str, content: str | bytes, mode: int | None = None) -> None:
    """A reader, or a crash, sees the old content or the new one. `mode`, if given: whatever the umask."""
    temporary = f"{path}.{os.getpid()}.{get_ident()}.tmp"
    flags = os.O_CREAT | os.O_WRONLY | os.O_TRUNC
    # A secret must not be readable in between either.
    with open(os.open(temporary, flags, 0o666 if mode is None else mode), "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
    if mode is not None:
        os.chmod(temporary, mode)
    os.replace(temporary, path)
