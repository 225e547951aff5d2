"""The operator's part in a change of the registry by REST: it reads the template again, and says so."""

from __future__ import annotations

from pathlib import Path

from anka_crds.api.meta import READ_REQUEST
from anka_sim.registry.catalog import RegistryCatalog
from support.scripted_api import ScriptedApi
from support.shim_rig import TEMPLATE, TIMES


async def follow(api: ScriptedApi, directory: Path) -> None:
    """Answer the next request to read TEMPLATE again."""

    def request() -> str | None:
        found = api.objects["ankatemplates"].get(("", TEMPLATE), {})
        value = found.get("metadata", {}).get("annotations", {}).get(READ_REQUEST)
        return value if isinstance(value, str) else None

    await api.until(lambda: request() is not None)
    held = next((one for one in RegistryCatalog(directory).all() if one["id"] == TEMPLATE), None)
    if held is None:
        api.remove("ankatemplates", TEMPLATE, "")
        return
    versions = [{"number": one["number"], "tag": one["tag"]} for one in held["versions"]]
    ready = {
        "type": "Ready",
        "status": "False",
        "reason": "NoVersions",
        "message": "",
        "lastTransitionTime": TIMES["creationTimestamp"],
    }
    status = {
        "name": "macos",
        "versions": versions,
        "readRequest": request(),
        "conditions": [] if versions else [ready],
    }
    api.put(
        "ankatemplates",
        TEMPLATE,
        "",
        spec={},
        status=status,
        metadata={**TIMES, "annotations": {READ_REQUEST: request()}},
    )
