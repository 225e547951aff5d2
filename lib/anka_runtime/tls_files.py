"""TLS of a client with its own authority and certificate, in files that are replaced while we run."""

import hashlib
import logging
import ssl
from pathlib import Path

from anka_runtime.clock import Clock
from anka_runtime.secret_file import REREAD_SECONDS

log = logging.getLogger(__name__)


class TlsFiles:
    """`ca`: the authorities that are trusted, instead of the system's. `certificate`: our own, with its `key` unless
    that is in the same file.

    The first reading raises what `make_context` does; later ones log that, and keep the last that was good."""

    def __init__(self, ca: Path | None, certificate: Path | None, key: Path | None, clock: Clock) -> None:
        self._ca, self._certificate, self._key = ca, certificate, key
        self._clock = clock
        self._context = make_context(ca, certificate, key)
        self._digest = self._read_digest()
        self._read_at = clock.monotonic()

    @property
    def has_certificate(self) -> bool:
        return self._certificate is not None

    def context(self) -> ssl.SSLContext:
        """Another one after a file has changed: connections that are open keep the old one."""
        now = self._clock.monotonic()
        if now - self._read_at >= REREAD_SECONDS:
            self._read_at = now
            digest = self._read_digest()
            if digest != self._digest:
                self._digest = digest
                try:
                    self._context = make_context(self._ca, self._certificate, self._key)
                except ValueError as error:
                    log.warning("the certificates of before stay in use: %s", error)
        return self._context

    def _read_digest(self) -> bytes:
        found = hashlib.blake2b()
        for path in (self._ca, self._certificate, self._key):
            try:
                content = b"" if path is None else path.read_bytes()
            except OSError:
                content = b"missing"
            found.update(len(content).to_bytes(8, "big") + content)
        return found.digest()


def make_context(ca: Path | None, certificate: Path | None, key: Path | None) -> ssl.SSLContext:
    """ValueError, in words without any content of the files."""
    try:
        context = ssl.create_default_context(cafile=ca)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise ValueError(f"{ca} cannot be used as certificates of authorities: {_explain(error)}") from None
    if certificate is not None:
        try:
            # An empty passphrase: else OpenSSL would ask for it on the terminal.
            context.load_cert_chain(certificate, key, password="")
        except (OSError, ValueError) as error:
            files = " and ".join(str(path) for path in (certificate, key) if path is not None)
            raise ValueError(f"{files} cannot be used as certificate and key: {_explain(error)}") from None
    return context


def _explain(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return error.reason or "not PEM"
    return (isinstance(error, OSError) and error.strerror) or "not PEM"
