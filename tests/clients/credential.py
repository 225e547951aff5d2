"""What an administrator gives a client to log in with. Each client uses what it knows, and of that the first."""

from __future__ import annotations

import base64
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)


@dataclass(frozen=True)
class UserKey:
    """An API key (UAK): its id, and a file with the private key in PEM."""

    id: str
    file: Path

    def decrypt(self, secret: bytes) -> str:
        """Raises ValueError for what was not encrypted for this key."""
        key = serialization.load_pem_private_key(self.file.read_bytes(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        return key.decrypt(secret, OAEP).decode()


@dataclass(frozen=True)
class OidcClient:
    """A client of the controller's provider, of the client's own."""

    id: str
    secret: str


@dataclass(frozen=True)
class Credential:
    root_token: str = ""
    header: str = ""
    """A whole Authorization header, ready made."""
    key: UserKey | None = None
    oidc: OidcClient | None = None
    tls: ssl.SSLContext | None = None
    """With the certificate of the client; and whom it trusts."""


NOTHING = Credential()


def with_login(url: str, user: str, password: str) -> str:
    """As a person writes it into the URL for a client that knows nothing else; as it is where there is no password."""
    return url.replace("://", f"://{user}:{password}@", 1) if password else url


def basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"
