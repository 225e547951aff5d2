"""The keys that seal handshakes and sessions: a Secret that all replicas have."""

import secrets
from functools import lru_cache
from pathlib import Path

from anka_runtime.clock import Clock
from anka_runtime.secret_file import SecretFile, read_secret

SHORTEST_SEAL_KEY = 32
"""Characters of each key."""


class SealFile:
    """A line for each key: the first seals, all are accepted. Without a file, one that this process alone has."""

    def __init__(self, path: Path | None, clock: Clock) -> None:
        """Raises ValueError as `read_seal_keys` does."""
        self._file = SecretFile(path, clock, shortest=SHORTEST_SEAL_KEY, check=split_keys) if path is not None else None
        self._own = [secrets.token_bytes(SHORTEST_SEAL_KEY)]

    def keys(self) -> list[bytes]:
        return list(_split(self._file.content())) if self._file is not None else self._own


def read_seal_keys(path: Path) -> list[bytes]:
    """ValueError where they can't be read, or one is shorter than SHORTEST_SEAL_KEY."""
    return split_keys(read_secret(path, SHORTEST_SEAL_KEY))


def split_keys(content: bytes) -> list[bytes]:
    """As `read_seal_keys`."""
    return list(_split(content))


@lru_cache(maxsize=4)
def _split(content: bytes) -> tuple[bytes, ...]:
    """Asked with each request. ValueError if one is shorter than SHORTEST_SEAL_KEY."""
    keys = [line.strip() for line in content.splitlines() if line.strip()]
    if not keys or any(len(key) < SHORTEST_SEAL_KEY for key in keys):
        raise ValueError(f"each line must be a key of at least {SHORTEST_SEAL_KEY} characters")
    return tuple(keys)
