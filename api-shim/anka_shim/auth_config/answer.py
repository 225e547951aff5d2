"""`GET /config/v1/auth`: the body. Pure."""

from pydantic import Field

from anka_shim.http.answer import Answer, make_ok


class OidcAnswer(Answer):
    """Jenkins and TeamCity get their tokens there, and ask for these claims."""

    user_name_field: str = Field(examples=["name"])
    groups_field: str = Field(examples=["groups"])
    provider_url: str = Field(examples=["https://id.example.com/realms/ci"])


class AuthAnswer(Answer):
    """How clients log in."""

    oidc: OidcAnswer | None = Field(default=None, description="Absent: there is no OpenID Connect to log in with.")


AuthOk = make_ok("AuthOk", AuthAnswer)
