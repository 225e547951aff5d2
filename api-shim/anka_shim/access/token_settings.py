"""Settings about the tokens of others."""

from pydantic import Field

from anka_shim.access.oidc.settings import OidcSettings


class TokenSettings(OidcSettings):
    """Part of the shim's."""

    enable_kubernetes_tokens: bool = Field(
        default=False,
        description="ServiceAccounts and people log in with tokens of the cluster, and may do what they may do with "
        "kubectl; needs --enable-auth.",
    )
    token_audience: str = Field(
        default="anka",
        min_length=1,
        max_length=253,
        description="Audience that tokens of the cluster must have: one that was made for somebody else is refused.",
    )
