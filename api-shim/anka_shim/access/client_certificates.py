"""Clients that prove by a certificate who they are: to us, or to a proxy in front of us."""

import logging
from pathlib import Path

from starlette.types import Scope

from anka_runtime.clock import Clock
from anka_runtime.files import read_text
from anka_runtime.secret_file import REREAD_SECONDS
from anka_shim import metrics
from anka_shim.access.authorities import Authorities
from anka_shim.access.certificate_header import CertificateHeader, find_certificate
from anka_shim.access.trusted_proxies import TrustedProxies
from anka_shim.http.authentication import Principal
from anka_shim.http.remote_host import remote_host

log = logging.getLogger(__name__)


class ClientCertificates:
    """`ca`, `lists`: files of Authorities, read again when they change. `header`: how trusted proxies pass on what a
    client has proven to them; None where they do not.

    The first reading raises ValueError; later ones log that, and keep what was good."""

    def __init__(
        self,
        ca: Path,
        lists: Path | None,
        clock: Clock,
        *,
        proxies: TrustedProxies,
        header: CertificateHeader | None = None,
    ) -> None:
        self._ca, self._lists = ca, lists
        self._clock = clock
        self._proxies = proxies
        self._header = header
        self._content = _read(ca, lists)
        self._authorities = Authorities(*self._content)
        self._read_at = clock.monotonic()
        metrics.CRL_EXPIRY.set_function(self._lists_until)

    def authenticate(self, scope: Scope) -> Principal | None:
        """Whose certificate the request came with; None without one. Raises CertificateRefused; ValueError for a header
        that cannot be read.

        What was valid when its connection began may be revoked since: so this is for each request."""
        host = remote_host(scope)
        if self._proxies.has(host.address):
            # The connection's certificate is the proxy's own: it never speaks for a client.
            packed = None if self._header is None else find_certificate(self._header, scope["headers"])
        else:
            packed = host.certificate
        return None if packed is None else self._current().authenticate(packed, self._clock.now())

    def _current(self) -> Authorities:
        now = self._clock.monotonic()
        if now - self._read_at >= REREAD_SECONDS:
            self._read_at = now
            try:
                content = _read(self._ca, self._lists)
                if content != self._content:
                    self._content = content
                    self._authorities = Authorities(*content)
            except ValueError as error:
                log.warning("the authorities and revocation lists of before stay in use: %s", error)
        return self._authorities

    def _lists_until(self) -> float:
        until = self._authorities.lists_until
        return 0.0 if until is None else until.timestamp()


def read_authorities(ca: Path, lists: Path | None) -> Authorities:
    """ValueError for what cannot be used."""
    return Authorities(*_read(ca, lists))


def _read(ca: Path, lists: Path | None) -> tuple[bytes, bytes | None]:
    return _read_file(ca), None if lists is None else _read_file(lists)


def _read_file(path: Path) -> bytes:
    try:
        return read_text(path).encode()
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not PEM") from None
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror or error}") from error
