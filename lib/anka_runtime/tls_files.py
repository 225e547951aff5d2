"""TLS of a client or a server with its own authority and certificate, in files that are replaced while we run."""

import hashlib
import logging
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from anka_runtime.clock import Clock
from anka_runtime.secret_file import REREAD_SECONDS

log = logging.getLogger(__name__)

TlsVersion = Literal["1.2", "1.3"]
"""Those before 1.2 are not to be used (RFC 8996)."""

MakeContext = Callable[[Path | None, Path | None, Path | None], ssl.SSLContext]
"""Of authorities, certificate and key, as `make_context`."""


class TlsFiles:
    """`ca`: the authorities that are trusted, instead of the system's. `certificate`: our own, with its `key` unless
    that is in the same file.

    The first reading raises what `make` does; later ones log that, and keep the last that was good."""

    def __init__(
        self, ca: Path | None, certificate: Path | None, key: Path | None, clock: Clock, make: MakeContext | None = None
    ) -> None:
        """`make`: of a client, unless another is given."""
        self._ca, self._certificate, self._key = ca, certificate, key
        self._clock = clock
        self._make = make or make_context
        self._context = self._make(ca, certificate, key)
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
                    self._context = self._make(self._ca, self._certificate, self._key)
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
        _load_certificate(context, certificate, key)
    return context


def make_server_context(
    ca: Path | None, certificate: Path | None, key: Path | None, *, lowest: TlsVersion = "1.2", ciphers: str = ""
) -> ssl.SSLContext:
    """It asks a client for a certificate where authorities are given, and demands none. `ciphers`: names of OpenSSL
    with colons between them, for TLS 1.2; its own choice if empty. ValueError as `make_context`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3 if lowest == "1.3" else ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    if ciphers:
        try:
            context.set_ciphers(ciphers)
        except ssl.SSLError:
            raise ValueError(f"{ciphers!r} names no cipher of OpenSSL") from None
    if certificate is not None:
        _load_certificate(context, certificate, key)
    if ca is not None:
        try:
            context.load_verify_locations(ca)
        except (OSError, ValueError) as error:
            raise ValueError(f"{ca} cannot be used as certificates of authorities: {_explain(error)}") from None
        context.verify_mode = ssl.CERT_OPTIONAL
        # Each authority in the file is trusted, also one whose own authority is not in it.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _load_certificate(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    try:
        # An empty passphrase: else OpenSSL would ask for it on the terminal.
        context.load_cert_chain(certificate, key, password="")
    except (OSError, ValueError) as error:
        files = " and ".join(str(path) for path in (certificate, key) if path is not None)
        raise ValueError(f"{files} cannot be used as certificate and key: {_explain(error)}") from None


def _explain(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return error.reason or "not PEM"
    return (isinstance(error, OSError) and error.strerror) or "not PEM"
