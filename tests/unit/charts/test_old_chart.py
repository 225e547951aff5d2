"""docs/operate/old-chart.md: each value of the old chart, and values of ours that exist."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from anka_dev.repository import CHART, ROOT
from anka_shim.old_settings.table import ANSWERS
from anka_shim.settings import ShimSettings

PAGE = (ROOT / "docs" / "operate" / "old-chart.md").read_text()
EXAMPLE = yaml.safe_load((ROOT / "examples" / "migrate" / "values.yaml").read_text())
SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())

_INGRESS = {
    "ingressALBHostname",
    "ingressALBSecurityGroup",
    "ingressNginxHostname",
    "ingressNginxClassName",
    "ingressNginxTLSSecretName",
    "ingressNginxAuthTLSSecretName",
}
_POD = {"enabled", "version", "image", "env", "volumes", "volumeMounts"}
_CLAIM = {"volumeClaimName", "volumeClaimCapacityStorageSize", "volumeClaimUseLocalStorage"}
OLD = {
    "controller": _POD | _INGRESS | {"replicaCount"},
    "registry": _POD
    | _INGRESS
    | _CLAIM
    | {"replicaCount", "volumeClaimUseEFS", "volumeClaimFileSystemId", "volumeClaimID"},
    "etcd": _POD | _CLAIM | {"nodeAffinityKey", "nodeAffinityValue"},
}
"""All that templates and values.yaml of veertuinc's chart name."""
NAME = re.compile(r"`([A-Za-z][A-Za-z0-9_.]*)`")


def rows(head: str) -> list[tuple[set[str], set[str]]]:
    """Names in the first and the second column of all tables with this head."""
    found, inside = [], False
    for line in PAGE.splitlines():
        if not line.startswith("|"):
            inside = False
        elif line.startswith(f"| {head} |"):
            inside = True
        elif inside and "---" not in line:
            first, second = line.strip("|").split("|")[:2]
            found.append((set(NAME.findall(first)), set(NAME.findall(second))))
    return found


def is_value(name: str) -> bool:
    place: Any = SCHEMA
    for part in name.split("."):
        place = place.get("properties", {}).get(part)
        if place is None:
            return False
    return True


def test_each_old_value_has_one_row() -> None:
    named = [name for first, _ in rows("old value") for name in first]
    assert len(named) == len(set(named))
    expected = {f"{part}.{name}" for part, names in OLD.items() for name in names}
    assert set(named) == expected


def test_what_is_ours_exists() -> None:
    ours = {name for head in ("old value", "wanted") for _, second in rows(head) for name in second}
    assert len(ours) > 30
    assert {name for name in ours if not is_value(name)} == set()


def test_the_page_and_its_example_go_together() -> None:
    """What the example says it stands for has a row that leads to the value below it."""
    lines = (ROOT / "examples" / "migrate" / "values.yaml").read_text().splitlines()
    named = {name for line in lines if "#" in line for name in re.findall(r"\b(ANKA_[A-Z_]+|ingressNginx\w+)\b", line)}
    table = {name.rpartition(".")[2] for first, _ in rows("old value") for name in first}
    assert len(named) == 8
    assert named <= table | ANSWERS.keys()


def test_the_example_has_flags_that_exist() -> None:
    assert {flag.replace("-", "_") for flag in EXAMPLE["shim"]["flags"]} <= set(ShimSettings.model_fields)
