"""What a provider publishes about itself (OpenID Connect Discovery 1.0). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

PATH = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True)
class ProviderInfo:
    """`issuer`: exactly as its tokens have it. `keys_url`: of the public keys. `authorization_url`: where people log
    in, `token_url`: where a code becomes a token; empty if the provider has no login for people."""

    issuer: str
    keys_url: str
    authorization_url: str = ""
    token_url: str = ""


def parse_info(document: Any, url: str) -> ProviderInfo:
    """ValueError says why this is not the document of the provider at `url`."""
    if not isinstance(document, Mapping):
        raise ValueError("its configuration is not a JSON object")  # noqa: TRY004  # the text is wrong
    issuer, keys_url = document.get("issuer"), document.get("jwks_uri")
    if not isinstance(issuer, str) or not is_same(issuer, url):
        raise ValueError(f"it calls itself {str(issuer)[:200]!r}: give that as --oidc-provider-url")
    if not isinstance(keys_url, str) or not is_safe(keys_url):
        raise ValueError("its jwks_uri must begin with https://")
    pages = [str(document.get(f"{name}_endpoint") or "") for name in ("authorization", "token")]
    return ProviderInfo(issuer, keys_url, *(page if is_safe(page) else "" for page in pages))


def is_same(issuer: str, url: str) -> bool:
    """But for a slash at the end."""
    return issuer.removesuffix("/") == url.removesuffix("/")


def is_safe(url: str) -> bool:
    """Whether what is read there can be believed: nobody in between can change it."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and _is_this_machine(host)))


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
