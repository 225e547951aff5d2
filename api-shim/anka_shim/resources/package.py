"""/pkg: the packages of the agent, as Macs and setup scripts download them."""

from __future__ import annotations

import asyncio
import hashlib
import re
import stat
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from anka_shim.rest.envelope import fail
from anka_shim.schema.envelope import Failed
from anka_shim.services import Services

PATH = "/pkg/{file}"
FILE = {
    "name": "file",
    "in": "path",
    "required": True,
    "schema": {"type": "string"},
    "description": "Name of a file in --pkg-dir.",
    "example": "AnkaAgent.pkg",
}
DESCRIBED: dict[str, Any] = {
    "tags": ["Packages"],
    "summary": "Download a package",
    "response_model": None,
    "responses": {
        200: {"description": "The file. HEAD and Range are obeyed.", "content": {"application/octet-stream": {}}},
        404: {"description": "No such file, or no --pkg-dir: `message` says which.", "model": Failed},
    },
    "openapi_extra": {"parameters": [FILE]},
}
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,199}")
"""What a file may be called: nothing that leads elsewhere, and nothing hidden."""


def register(app: FastAPI, services: Services) -> None:
    """Add the endpoint to the application."""
    directory = services.settings.pkg_dir

    async def package(request: Request) -> Response:
        """Such as AnkaAgent.pkg and AnkaAgentArm.pkg."""
        # The disk may be a slow one: a look at it must not stop everybody else.
        return await asyncio.to_thread(answer, directory, request.path_params["file"])

    app.get(PATH, **DESCRIBED)(package)
    app.head(PATH, include_in_schema=False)(package)


def checksum_of(directory: Path | None, name: str) -> str | None:
    """SHA-256 of a file of the directory, None if there is none such."""
    if directory is None or not NAME.fullmatch(name):
        return None
    try:
        with (directory / name).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def answer(directory: Path | None, name: str) -> Response:
    """A file of the directory itself. There is no list of what it has."""
    if directory is None:
        return fail("there are no packages here: start the API shim with --pkg-dir", code=404)
    if NAME.fullmatch(name):
        path = directory / name
        try:
            found = path.stat()
        except OSError:
            found = None
        if found is not None and stat.S_ISREG(found.st_mode):
            return FileResponse(path, media_type="application/octet-stream", stat_result=found)
    return fail("no such package", code=404)
