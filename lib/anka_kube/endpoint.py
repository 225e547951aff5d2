"""A Kubernetes API and the identity to use there: everything that is needed to open a connection."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field

from anka_kube.credentials import Credentials, StaticCredentials


class ConfigError(Exception):
    """The connection settings cannot be used; str() is one line that says what to do."""


@dataclass(frozen=True)
class Endpoint:
    server: str
    """Base URL without a trailing slash."""
    credentials: Credentials = field(default_factory=StaticCredentials)
    ssl: ssl.SSLContext | None = None
    """None for plain http."""
    namespace: str = "default"
    """Namespace of the kubeconfig's context, or of our pod."""
    server_hostname: str | None = None
    """Name to expect in the server's certificate when it differs from the URL."""
    proxy: str | None = None
