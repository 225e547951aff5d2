"""The volumes of a pod as folders."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from anka_crds.process.files import write_private
from anka_dev.controlplane.kubectl import Kubectl


def materialise(pod: Mapping[str, Any], folder: Path, core: Any, kubectl: Kubectl) -> dict[str, Path]:
    """Each volume's folder by its name. ValueError for a kind of volume that is not known here."""
    made: dict[str, Path] = {}
    for volume in pod["spec"].get("volumes", []):
        place = folder / volume["name"]
        place.mkdir(parents=True, exist_ok=True)
        if "projected" in volume:
            for source in volume["projected"]["sources"]:
                _project(pod, source, place, core, kubectl)
        elif "emptyDir" not in volume:
            raise ValueError(f"volume {volume['name']} is of a kind that is not known here")
        made[volume["name"]] = place
    return made


def _project(pod: Mapping[str, Any], source: Mapping[str, Any], place: Path, core: Any, kubectl: Kubectl) -> None:
    metadata = pod["metadata"]
    if token := source.get("serviceAccountToken"):
        # Bound to this pod, as a kubelet has it: it ends with the pod.
        text = kubectl.run(
            "create", "token", pod["spec"]["serviceAccountName"], f"--namespace={metadata['namespace']}",
            "--bound-object-kind=Pod", f"--bound-object-name={metadata['name']}",
            f"--bound-object-uid={metadata['uid']}", f"--duration={token.get('expirationSeconds', 3600)}s",
        )  # fmt: skip
        write_private(place / token["path"], text.strip())
    elif wanted := source.get("configMap"):
        data = core.read_namespaced_config_map(wanted["name"], metadata["namespace"]).data
        for item in wanted["items"]:
            write_private(place / item["path"], data[item["key"]])
    elif downward := source.get("downwardAPI"):
        for item in downward["items"]:
            if item["fieldRef"]["fieldPath"] != "metadata.namespace":
                raise ValueError(f"field {item['fieldRef']['fieldPath']} cannot be had here")
            write_private(place / item["path"], metadata["namespace"])
    else:
        raise ValueError(f"a projected source {sorted(source)} is not known here")
