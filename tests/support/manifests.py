"""The tables of manifests in ``tests/data/manifests``: what is accepted, and what is refused with which words."""

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).resolve().parents[1] / "data" / "manifests"
CLUSTER_WIDE = {
    "AnkaNode", "AnkaTemplate", "ApiKey", "MACAddressPool", "NodeGroup", "PermissionGroup", "TemplateDistribution",
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """`before` is there when the manifest changes an object that was made from it."""

    id: str
    kind: str
    name: str
    manifest: dict[str, Any]
    before: dict[str, Any] | None = None
    says: str = ""
    """Must be in kubectl's error."""

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"


@dataclass
class Table:
    accepted: list[Row] = field(default_factory=list)
    refused: list[Row] = field(default_factory=list)


def load() -> Table:
    table = Table()
    for path in sorted(FOLDER.glob("*.yaml")):
        data = yaml.safe_load(path.read_text())
        for row in (*data["accepted"], *data["refused"]):
            identity = f"manifest-{len(table.accepted) + len(table.refused)}"
            base = {
                "apiVersion": "anka.veertu.com/v1alpha1",
                "kind": data["kind"],
                "metadata": {"name": identity},
                **copy.deepcopy(data["base"]),
            }
            if data["kind"] not in CLUSTER_WIDE:
                base["metadata"]["namespace"] = "default"
            made = Row(
                id=identity,
                kind=data["kind"],
                name=row["name"],
                manifest={**merged(base, row["set"]), **row.get("raw", {})},
                before=merged(base, row["before"]) if "before" in row else None,
                says=row.get("says", ""),
            )
            (table.refused if made.says else table.accepted).append(made)
    return table


def merged(base: Any, patch: Any) -> Any:
    """A JSON merge patch, with {repeat: text, times: n} for long texts and {count: n} for n keys."""
    if not isinstance(patch, dict):
        return patch
    if patch.keys() == {"repeat", "times"}:
        return patch["repeat"] * patch["times"]
    if patch.keys() == {"count"}:
        return {f"key-{number}": number for number in range(patch["count"])}
    result = dict(base) if isinstance(base, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result
