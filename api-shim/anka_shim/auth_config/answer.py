"""`GET /config/v1/auth`: the body. Pure."""

from anka_shim.http.answer import Answer, make_ok


class AuthAnswer(Answer):
    """How clients log in. Empty: there is no `oidc` to log in with."""


AuthOk = make_ok("AuthOk", AuthAnswer)
