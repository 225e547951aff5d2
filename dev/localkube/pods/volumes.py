"""The volumes of a pod as folders."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localkube.files import write_private
from localkube.pods import spec

_TOKEN_SECONDS = 3607
_MODE = 0o644
_GROUP_READS = 0o440
_ALL_WRITE = 0o777
_SET_GROUP = 0o2000


def materialise(
    pod: Mapping[str, Any], folder: Path, core: Any, known: Mapping[str, str], data: spec.Data
) -> dict[str, Path]:
    """Create the volumes; each one's folder by its name. ValueError for a kind of volume that is not known here."""
    made: dict[str, Path] = {}
    for volume in pod["spec"].get("volumes", []):
        place = folder / volume["name"]
        place.mkdir(parents=True, exist_ok=True)
        if sources := _sources(volume):
            for kind, source in sources:
                _project(pod, kind, source, place, core, known, data)
        elif "emptyDir" not in volume:
            raise ValueError(f"volume {volume['name']} is of a kind that is not known here")
        made[volume["name"]] = place
    return made


def grant(pod: Mapping[str, Any], made: Mapping[str, Path], user: int, group: int | None) -> None:
    """Set owners and modes of the volumes of ``materialise`` as a kubelet does: all users write to an emptyDir, a
    token belongs to ``user``, files have the modes of the manifest; ``group`` (fsGroup) reads all. Needs root."""
    for volume in pod["spec"].get("volumes", []):
        place = made[volume["name"]]
        if "emptyDir" in volume:
            os.chown(place, -1, -1 if group is None else group)
            place.chmod(_ALL_WRITE | (0 if group is None else _SET_GROUP))
            continue
        modes = _modes(volume)
        for path in [place, *place.rglob("*")]:
            if path.is_dir():
                path.chmod(0o755)
                continue
            mode = modes.get(str(path.relative_to(place)), modes[""])
            if mode is None:
                os.chown(path, user, -1)
                mode = 0o600
            if group is not None:
                os.chown(path, -1, group)
                mode |= _GROUP_READS
            path.chmod(mode)


def _modes(volume: Mapping[str, Any]) -> dict[str, int | None]:
    """Modes by path in the volume; None is a token, "" is any other file."""
    [about] = (volume[kind] for kind in ("projected", "secret", "configMap", "downwardAPI") if kind in volume)
    found: dict[str, int | None] = {"": about.get("defaultMode", _MODE)}
    for kind, source in _sources(volume):
        if kind == "serviceAccountToken":
            found[source["path"]] = None
        found |= {item["path"]: item["mode"] for item in source.get("items") or [] if "mode" in item}
    return found


def _sources(volume: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Kind and source of each projection; a volume of one ConfigMap is a projection of one source."""
    if "projected" in volume:
        return [pair for source in volume["projected"]["sources"] for pair in source.items()]
    if "secret" in volume:
        return [("secret", {"name": volume["secret"]["secretName"], **volume["secret"]})]
    return [(kind, volume[kind]) for kind in ("configMap", "downwardAPI") if kind in volume]


def _project(pod: Mapping[str, Any], kind: str, source: Mapping[str, Any], place: Path, core: Any,
             known: Mapping[str, str], data: spec.Data) -> None:  # fmt: skip
    if kind == "serviceAccountToken":
        write_private(place / source["path"], _token(pod, source, core))
    elif kind in ("configMap", "secret"):
        found = data(kind, source["name"])
        for item in source.get("items") or [{"key": key, "path": key} for key in found]:
            if item["key"] not in found:
                raise ValueError(f"{kind} {source['name']} has no key {item['key']}")
            write_private(place / item["path"], found[item["key"]])
    elif kind == "downwardAPI":
        for item in source["items"]:
            path = item.get("fieldRef", {}).get("fieldPath")
            if path not in known:
                raise ValueError(f"{item['path']}: its field is not supported here")
            write_private(place / item["path"], known[path])
    else:
        raise ValueError(f"a projected {kind} is not known here")


def _token(pod: Mapping[str, Any], source: Mapping[str, Any], core: Any) -> str:
    """A token of the pod's ServiceAccount, bound to this pod as a kubelet does: it ends with the pod."""
    metadata = pod["metadata"]
    bound = {"apiVersion": "v1", "kind": "Pod", "name": metadata["name"], "uid": metadata["uid"]}
    request = {
        "audiences": [source["audience"]] if "audience" in source else [],
        "expirationSeconds": source.get("expirationSeconds", _TOKEN_SECONDS),
        "boundObjectRef": bound,
    }
    answer = core.create_namespaced_service_account_token(
        pod["spec"]["serviceAccountName"], metadata["namespace"], {"spec": request}
    )
    return str(answer.status.token)
