"""/pkg: the packages of the agent, as Macs and setup scripts download them."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import FileResponse, Response

from anka_shim.http.answer import Failed
from anka_shim.http.injection import inject
from anka_shim.http.openapi import REFUSALS, Responses
from anka_shim.package.files import file_response
from anka_shim.settings import ShimSettings

router = APIRouter(tags=["Packages"])

PATH = "/pkg/{file}"
RESPONSES: Responses = {
    **REFUSALS,
    200: {"description": "The file. HEAD and Range are supported.", "content": {"application/octet-stream": {}}},
    404: {"description": "No such file, or no --pkg-dir: `message` says which.", "model": Failed},
}

Settings = Annotated[ShimSettings, inject(ShimSettings)]
File = Annotated[
    str,
    Path(description="Name of a file in --pkg-dir.", openapi_examples={"AnkaAgent.pkg": {"value": "AnkaAgent.pkg"}}),
]


@router.head(PATH, include_in_schema=False)
@router.get(PATH, summary="Download a package", responses=RESPONSES, response_class=FileResponse)
async def package(file: File, settings: Settings) -> Response:
    """Such as AnkaAgent.pkg and AnkaAgentArm.pkg."""
    # The disk may be slow: reading it must not block all other requests.
    return await asyncio.to_thread(file_response, settings.pkg_dir, file)
