"""/api/v1/status: what Jenkins and TeamCity ask before they ask for anything else."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from anka_shim.rest.envelope import ok
from anka_shim.rest.openapi import described
from anka_shim.schema.status import StatusAnswer
from anka_shim.services import Services
from anka_shim.translate.status import status_answer
from anka_shim.version import build_hash

TAG = "Status"


def register(app: FastAPI, services: Services) -> None:
    """Add the endpoints to the application."""
    version = f"{services.settings.controller_version}-{build_hash()}"

    @app.get("/api/v1/status", **described(TAG, "Status of the controller and its registry", gives=StatusAnswer))
    async def status(_: Request) -> Response:
        """Running once everything has been read from the Kubernetes API; Starting before."""
        return ok(
            status_answer(
                ready=services.unsynced() is None,
                version=version,
                registry_address=services.registry.url,
                registry_status=services.registry.status,
                license_=services.settings.license,
            )
        )
