"""Settings of OpenID Connect."""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from anka_runtime.secret_file import read_secret
from anka_runtime.settings import ClusterRegistrySettings
from anka_runtime.tls_files import make_context
from anka_shim.access.oidc.discovery import is_safe


class OidcSettings(ClusterRegistrySettings):
    """Part of the shim's."""

    oidc_provider_url: str = Field(
        default="",
        max_length=1024,
        description="Issuer of an OpenID Connect provider, exactly as it writes it: who has a token of it may log in; "
        "needs --enable-authorization.",
    )
    oidc_client_id: str = Field(
        default="",
        max_length=256,
        description="What the shim is called at the OIDC provider: tokens must be made for it.",
    )
    oidc_audiences: str = Field(
        default="",
        description="Whom else tokens may be made for, with commas between them: the clients of CI servers, or the "
        "audience that the provider writes into access tokens.",
    )
    oidc_username_claim: str = Field(
        default="name", min_length=1, max_length=128, description="Claim of a token that has the name of its owner."
    )
    oidc_groups_claim: str = Field(
        default="groups",
        min_length=1,
        max_length=128,
        description="Claim of a token that has the groups of its owner: names of permission groups.",
    )
    oidc_ca_file: Path | None = Field(
        default=None,
        description="Certificates (PEM) of the authorities that are trusted for the OIDC provider, instead of the "
        "system's. It is read again when it changes.",
    )

    oidc_client_secret_file: Path | None = Field(
        default=None,
        description="File with the secret of --oidc-client-id: people then log in with a browser, too. It is read "
        "again when it changes; needs --site-url, and with --peers --seal-key-file.",
    )
    oidc_scopes: str = Field(
        default="openid,profile,groups",
        description="What is asked of the OIDC provider when people log in, with commas between.",
    )
    site_url: str = Field(
        default="",
        max_length=1024,
        description="Where browsers reach the shim, such as https://anka.example.com: the provider sends them back "
        "there, to /oidc/v1/callback.",
    )

    @field_validator("oidc_client_secret_file")
    @classmethod
    def _has_secret(cls, file: Path | None) -> Path | None:
        if file is not None:
            read_secret(file, 1)
        return file

    @field_validator("site_url")
    @classmethod
    def _is_site(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and (not is_safe(url) or parts.path not in ("", "/") or parts.query or parts.fragment):
            raise ValueError("must begin with https://, and name a host and no path")
        return url.removesuffix("/")

    @property
    def has_browser_login(self) -> bool:
        return bool(self.oidc_provider_url and self.oidc_client_secret_file)

    @property
    def oidc_scope_list(self) -> list[str]:
        return [scope for one in self.oidc_scopes.split(",") if (scope := one.strip())]

    @field_validator("oidc_provider_url")
    @classmethod
    def _is_safe_url(cls, url: str) -> str:
        if url and not is_safe(url):
            raise ValueError("must begin with https://: who can change what the provider says logs in as anybody")
        return url

    @field_validator("oidc_ca_file")
    @classmethod
    def _has_certificates(cls, file: Path | None) -> Path | None:
        if file is not None:
            make_context(file, None, None)
        return file

    @property
    def oidc_accepted_audiences(self) -> frozenset[str]:
        given = (self.oidc_client_id, *self.oidc_audiences.split(","))
        return frozenset(audience for one in given if (audience := one.strip()))
