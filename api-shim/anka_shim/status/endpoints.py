"""/api/v1/status: what Jenkins and TeamCity ask before they ask for anything else."""

import hashlib
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from anka_runtime.version import package_version
from anka_shim.http.envelope import ok
from anka_shim.http.injection import CacheWatches, inject
from anka_shim.http.openapi import answers
from anka_shim.settings import ShimSettings
from anka_shim.status.answer import StatusAnswer, StatusOk
from anka_shim.store.registry_watch import RegistryWatch

router = APIRouter(tags=["Status"])

BUILD = hashlib.sha256(package_version().encode()).hexdigest()[:8]
"""The same for one version of this package: the old controller showed its commit there."""

Registry = Annotated[RegistryWatch, inject(RegistryWatch)]
Settings = Annotated[ShimSettings, inject(ShimSettings)]


@router.get("/api/v1/status", summary="Status of the controller and its registry", responses=answers(StatusOk))
async def status(watches: CacheWatches, registry: Registry, settings: Settings) -> Response:
    """Running once everything has been read from the Kubernetes API; Starting before."""
    return ok(
        StatusAnswer.model_construct(
            status="Running" if watches.missing_caches() is None else "Starting",
            version=f"{settings.controller_version}-{BUILD}",
            registry_address=registry.url,
            registry_status=registry.status,
            license=settings.license,
        )
    )
