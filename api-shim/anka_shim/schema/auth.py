"""/config/v1/auth, as documented."""

from __future__ import annotations

from pydantic import ConfigDict

from anka_shim.schema.envelope import Answer, Succeeded


class Auth(Answer):
    """How clients log in. Empty: there is no authentication, and no `oidc` that one could log in by."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}]})


class AuthOk(Succeeded):
    body: Auth
