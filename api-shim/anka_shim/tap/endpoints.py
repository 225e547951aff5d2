"""/tap/v1: how a machine logs in with an API key. Neither answer has an envelope, unless it is a failure."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from anka_shim.access.handshake import Handshake
from anka_shim.access.login_limiter import LoginLimiter
from anka_shim.access.policy import UNAUTHENTICATED, limit_logins, refuse_login
from anka_shim.api_key.endpoints import API_KEYS
from anka_shim.failure import Failure
from anka_shim.http.answer import Failed, to_json
from anka_shim.http.authentication import client_address
from anka_shim.http.body import JsonRoute
from anka_shim.http.injection import AppDependency, ServiceDependency, inject
from anka_shim.http.openapi import REFUSALS, Responses
from anka_shim.store.caches import Watches, require_caches
from anka_shim.tap.answer import ShakeAnswer, shake_answer
from anka_shim.tap.request import Hand, Shake, read_word

_HEADERS = {"Cache-Control": "no-store"}
_REFUSED: Responses = {
    **REFUSALS,
    401: {
        "description": "No such key, or the secret is wrong, used or too old.",
        "model": Failed,
        "content": {"application/json": {"example": {"status": "FAIL", "message": UNAUTHENTICATED}}},
    },
    404: {"description": "API keys are off.", "model": Failed},
    503: {"description": "Starting, or too many requests at a time: try again.", "model": Failed},
}


class ReadyDependency(AppDependency[None]):
    """While the caches are read, a client shall try again: HTTP 503, after which Java does."""

    _watches = ServiceDependency(Watches)

    def resolve(self, app: FastAPI) -> None:
        try:
            require_caches(self._watches.resolve(app))
        except Failure as failure:
            raise Failure(failure.message, code=503, retry_after=1) from None


class TapRoute(JsonRoute):
    """No failure is HTTP 200: clients take that for a success."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_tap(request: Request) -> Response:
            try:
                return await handle(request)
            except Failure as failure:
                if failure.code == 200:
                    raise Failure(failure.message, code=400, retry_after=failure.retry_after) from None
                raise

        return handle_tap


router = APIRouter(
    tags=["Authentication"],
    route_class=TapRoute,
    dependencies=[Depends(API_KEYS), Depends(ReadyDependency())],
)

Handshakes = Annotated[Handshake, inject(Handshake)]
Limiter = Annotated[LoginLimiter, inject(LoginLimiter)]


@router.post(
    "/tap/v1/hand",
    summary="Begin to log in with an API key",
    response_class=Response,  # or its failures would be documented as plain text, too
    responses={
        200: {
            "description": "A secret, encrypted by RSA-OAEP (SHA-256) with the public key: base64, nothing else.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        },
        **_REFUSED,
    },
)
async def hand(
    body: Annotated[Hand, Body(default_factory=Hand)], handshake: Handshakes, limiter: Limiter, request: Request
) -> Response:
    """Needs no login. The secret is good once, for three minutes."""
    id_ = read_word(body.id)
    address, credential = client_address(request.scope), _credential(id_)
    limit_logins(limiter, address, credential)
    answer = handshake.begin(id_) if id_ is not None else None
    if answer is None:
        limiter.note_failure(address, credential)
        raise refuse_login(address)
    return PlainTextResponse(answer, headers=_HEADERS)


@router.post(
    "/tap/v1/shake",
    summary="End the login with an API key",
    responses={200: {"description": "A session.", "model": ShakeAnswer}, **_REFUSED},
)
async def shake(
    body: Annotated[Shake, Body(default_factory=Shake)], handshake: Handshakes, limiter: Limiter, request: Request
) -> Response:
    """Needs no login."""
    id_, secret = read_word(body.id), read_word(body.secret)
    address, credential = client_address(request.scope), _credential(id_)
    limit_logins(limiter, address, credential)
    session = await handshake.end(id_, secret) if id_ is not None and secret is not None else None
    if id_ is None or session is None:
        limiter.note_failure(address, credential)
        raise refuse_login(address)
    # Who can decrypt with this key is let through from an address that others guess from.
    limiter.note_success(credential)
    return Response(to_json(shake_answer(id_, session)), media_type="application/json", headers=_HEADERS)


def _credential(id_: str | None) -> bytes:
    return f"tap {id_ or ''}".encode("utf-8", "surrogatepass")
