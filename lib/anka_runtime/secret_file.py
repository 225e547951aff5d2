"""A secret in a file, as Kubernetes mounts it: replaced while we run."""

import logging
from collections.abc import Callable
from pathlib import Path

from anka_runtime.clock import Clock
from anka_runtime.files import read_text

log = logging.getLogger(__name__)

SHORTEST_TOKEN = 10
"""Characters of a root token; the old controller's own bound (docs/reference/legacy-api.md#basic-auth)."""

REREAD_SECONDS = 5.0
"""The kubelet takes up to a minute to replace a mounted Secret: so often is soon enough."""


class SecretFile:
    """The first reading raises what `read_secret` does; later ones log that, and keep the last that was good."""

    def __init__(
        self, path: Path, clock: Clock, *, shortest: int, check: Callable[[bytes], object] = lambda _: None
    ) -> None:
        """`check` raises ValueError for a content that cannot be used."""
        self._path = path
        self._clock = clock
        self._shortest = shortest
        self._check = check
        self._content = self._read()
        self._read_at = clock.monotonic()

    def content(self) -> bytes:
        now = self._clock.monotonic()
        if now - self._read_at >= REREAD_SECONDS:
            self._read_at = now
            try:
                self._content = self._read()
            except ValueError as error:
                log.warning("the secret of before stays in use: %s", error)
        return self._content

    def _read(self) -> bytes:
        content = read_secret(self._path, self._shortest)
        self._check(content)
        return content


def read_secret(path: Path, shortest: int) -> bytes:
    """Without white space at the ends. ValueError where it can't be read, or has less than `shortest` characters."""
    try:
        content = read_text(path).strip()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror or error}") from error
    if len(content) < shortest:
        raise ValueError(f"{path} must have at least {shortest} characters, and has {len(content)}")
    return content.encode()
