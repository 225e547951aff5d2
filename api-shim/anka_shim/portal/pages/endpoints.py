"""/portal: the page, and its files. They need no login: the page is what people log in with."""

from collections.abc import Mapping

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from anka_shim.http.envelope import fail
from anka_shim.portal.feature import PORTAL
from anka_shim.portal.pages.headers import SECURITY_HEADERS
from anka_shim.portal.pages.static_files import StaticFile, static_files

router = APIRouter(prefix="/portal", dependencies=[Depends(PORTAL)], include_in_schema=False)

_REVALIDATED = {"Cache-Control": "no-cache"}
"""A browser asks each time, and gets 304 as long as nothing has changed."""
_NOT_KEPT = {"Cache-Control": "no-store"}
"""Another replica may have it: what is between must not remember that this one has not."""
_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}


@router.get("")
async def page(request: Request) -> Response:
    return _answer(request, static_files().index, _REVALIDATED)


@router.get("/static/{version}/{path:path}")
async def static_file(version: str, path: str, request: Request) -> Response:
    """Of another version there is nothing: a page that mixes two would break in ways that nobody can explain."""
    known = static_files()
    file = known.by_path.get(path) if version == known.version else None
    if file is None:
        return fail("no such file: reload the page", code=404, headers=_NOT_KEPT)
    return _answer(request, file, _FOREVER)


def _answer(request: Request, file: StaticFile, caching: Mapping[str, str]) -> Response:
    headers = {**SECURITY_HEADERS, **caching, "ETag": file.tag, "Vary": "Accept-Encoding"}
    if file.tag in [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    if file.packed is not None and accepts_gzip(request.headers.get("accept-encoding", "")):
        headers["Content-Encoding"] = "gzip"
        return Response(file.packed, media_type=file.media_type, headers=headers)
    return Response(file.content, media_type=file.media_type, headers=headers)


def accepts_gzip(accepted: str) -> bool:
    """RFC 9110, 12.5.3, as far as browsers use it."""
    for entry in accepted.lower().split(","):
        coding, _, parameters = entry.partition(";")
        if coding.strip() in ("gzip", "*"):
            return parameters.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
