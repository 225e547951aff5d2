"""Who has logged in, and what they may do: for the page, which shows nothing that would be refused. Pure."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from anka_shim.http.authentication import LoginMethod, Principal
from anka_shim.http.rights import Right
from anka_shim.settings import ShimSettings
from anka_shim.times import rfc3339

LOGINS: Mapping[LoginMethod | None, str] = {
    None: "none",
    LoginMethod.ROOT: "root",
    LoginMethod.API_KEY: "apiKey",
    LoginMethod.CERTIFICATE: "certificate",
    LoginMethod.OIDC: "oidc",
    LoginMethod.KUBERNETES: "kubernetes",
}
"""How somebody has logged in, in the words of the page."""


def describe_session(
    principal: Principal, rights: Collection[str] | None, settings: ShimSettings, expires: int | None = None
) -> Mapping[str, Any]:
    """`rights`: None for all. `expires`: seconds since 1970; None for a login that has no end."""
    return {
        "user": principal.name,
        "login": LOGINS[principal.method],
        "authentication": settings.enable_auth,
        "rights": None if rights is None else sorted(rights),
        "features": describe_features(settings),
        "expires": None if expires is None else rfc3339(datetime.fromtimestamp(expires, UTC)),
    }


def describe_features(settings: ShimSettings) -> Mapping[str, Any]:
    return {
        "apiKeys": settings.enable_api_keys,
        "authorization": settings.enable_authorization,
        "macPools": settings.manage_mac_addresses,
        "eventLog": bool(settings.registry_url),
        "resourcePermissions": settings.enable_resource_permissions,
        "oidc": getattr(settings, "oidc_display_name", None)
        or ("OpenID Connect" if settings.has_browser_login else None),
        "kubernetesTokens": settings.enable_kubernetes_tokens,
    }


def describe_ways(settings: ShimSettings) -> Mapping[str, Any]:
    """For the login page, which nobody has logged in to. `oidc`: the name on its button."""
    features = describe_features(settings)
    return {"root": settings.root_token_file is not None} | {
        name: features[name] for name in ("apiKeys", "kubernetesTokens", "oidc")
    }


ALL_RIGHTS = tuple(right for right in Right if right not in (Right.NONE, Right.PEER, Right.LOGIN, Right.UNKNOWN_ROUTE))
