"""The session that a machine gets, without the envelope. Pure."""

from pydantic import Field

from anka_shim.access.session_token import SessionToken
from anka_shim.http.answer import Answer


class SessionAnswer(Answer):
    """`Authorization: Bearer` and the base64 text of this object log in until the session ends."""

    userName: str = Field(description="The id.", examples=["jenkins"])  # as clients read it
    sessionId: str = Field(examples=["e9a5e1cf-6c27-4d8e-9d3b-3d0d7b0d3c53"])
    token: str = Field(examples=["6aXhz2wnTY6dOz0NewuNU7ABZ6k1pAI8sQ2cQfM2r0mY3JpNkQ"])


class ShakeAnswer(Answer):
    id: str = Field(examples=["jenkins"])
    data: SessionAnswer


def shake_answer(id_: str, session: SessionToken) -> ShakeAnswer:
    return ShakeAnswer.model_construct(
        id=id_,
        data=SessionAnswer.model_construct(userName=session.user, sessionId=session.session, token=session.token),
    )
