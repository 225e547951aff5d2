"""What REST does to templates: it changes the registry, through the registry's own API. The mirror follows."""

from __future__ import annotations

import logging

from anka_crds.registry.client import RegistryClient
from anka_crds.registry.errors import RegistryError, RegistryRefused
from anka_shim.cloud.corrections import Corrections
from anka_shim.cloud.registry_watch import NO_REGISTRY
from anka_shim.translate.failure import Failure
from anka_shim.translate.template import Revert

log = logging.getLogger(__name__)


class TemplateCommands:
    """Every method raises Failure: with the registry's own words when it refuses."""

    def __init__(self, registry: RegistryClient | None, corrections: Corrections) -> None:
        self._registry = registry
        self._corrections = corrections

    async def delete(self, id_: str) -> None:
        """With all its versions."""
        what = "delete the template"
        registry = self._reachable(what)
        try:
            await registry.delete(id_)
        except RegistryError as error:
            raise Failure(_told(error, what)) from error
        self._corrections.deleted(id_)

    async def revert(self, id_: str, wanted: Revert) -> None:
        """Remove this version and all newer ones; the newest alone if neither tag nor number is given."""
        what = "revert the template"
        registry = self._reachable(what)
        try:
            await registry.revert(id_, tag=wanted.tag, number=wanted.number)
        except RegistryError as error:
            raise Failure(_told(error, what)) from error
        try:
            left = await registry.template(id_)
        except RegistryRefused:
            self._corrections.deleted(id_)
        except RegistryError as error:
            # It is done; only what is left will be known later, from the mirror.
            log.warning("reverted, but not read again: %s", error, extra={"template": id_})
        else:
            self._corrections.reverted(id_, {version.number for version in left.versions}, left.size)

    def _reachable(self, what: str) -> RegistryClient:
        if self._registry is None:
            raise Failure(f"cannot {what}: {NO_REGISTRY}")
        return self._registry


def _told(error: RegistryError, what: str) -> str:
    if isinstance(error, RegistryRefused):
        return error.message
    log.error("cannot %s: %s", what, error)
    return f"cannot {what}: {error}"
