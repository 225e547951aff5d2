"""CRDs change by addition only: against each release, and shown to notice what is no addition."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from anka_crds.api import KINDS
from anka_dev.crds.crd import crd
from support.crd_changes import breaking

RELEASES = Path(__file__).resolve().parents[3] / "data" / "released-crds"
FILES = sorted(RELEASES.glob("*/*.yaml"))
NOW = {model.DEFINITION.plural: crd(model) for model in KINDS}
INSTANCES = NOW["ankainstances"]

Node = dict[str, Any]


def load(path: Path) -> Node:
    found = yaml.safe_load(path.read_text())
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_nothing_is_taken_away_that_was_released(path: Path) -> None:
    assert path.stem in NOW, "a kind is never removed"
    assert breaking(load(path), NOW[path.stem]) == []


def test_there_is_a_release_with_all_kinds() -> None:
    releases = {folder.name: {path.stem for path in folder.glob("*.yaml")} for folder in RELEASES.iterdir()}
    assert releases
    assert all(kinds <= NOW.keys() for kinds in releases.values())
    assert any(len(kinds) >= 6 for kinds in releases.values())


def changed(change: Callable[[Node], Any]) -> Node:
    """The CRD of instances, after `change` was done to its version."""
    new = copy.deepcopy(INSTANCES)
    change(new["spec"]["versions"][0])
    return new


def at(version: Node, path: str) -> Node:
    """The schema of a field: `spec.priority`, `spec.portForwarding[]`."""
    schema = version["schema"]["openAPIV3Schema"]
    for name in path.split(".") if path else []:
        schema = schema["properties"][name.removesuffix("[]")]
        schema = schema["items"] if name.endswith("[]") else schema
    assert isinstance(schema, dict)
    return schema


def put(path: str, **keys: Any) -> Callable[[Node], Any]:
    return lambda version: at(version, path).update({key.replace("__", "-"): value for key, value in keys.items()})


def rule(path: str, **rule: Any) -> Callable[[Node], Any]:
    return lambda version: at(version, path).setdefault("x-kubernetes-validations", []).append(rule)


ADDITIONS: dict[str, Callable[[Node], Any]] = {
    "nothing": lambda _: None,
    "a field": lambda v: at(v, "spec")["properties"].update({"colour": {"type": "string", "pattern": "^a"}}),
    "a field with required parts": lambda v: at(v, "spec")["properties"].update(
        {"colour": {"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"]}}
    ),
    "a phase": lambda v: at(v, "status.phase")["enum"].append("Sleeping"),
    "a wider limit": put("spec.priority", maximum=20000, minimum=0),
    "no limit any more": lambda v: at(v, "spec.template").pop("maxLength"),
    "a description": put("spec.template", description="other words"),
    "a default where there was none": put("spec.tag", default="latest"),
    "no longer required": lambda v: at(v, "spec").pop("required"),
    "a rule less": lambda v: at(v, "")["x-kubernetes-validations"].pop(),
    "other words of a rule": lambda v: at(v, "")["x-kubernetes-validations"][0].update(message="in other words"),
    "a rule that lets pass what is there": rule(
        "spec", rule="oldSelf.hasValue() || has(self.tag)", optionalOldSelf=True
    ),
    "a printer column more or less": lambda v: v["additionalPrinterColumns"].pop(),
    "a selectable field": lambda v: v["selectableFields"].append({"jsonPath": ".spec.group"}),
}
BREAKS: dict[str, tuple[Callable[[Node], Any], str]] = {
    "a field removed": (lambda v: at(v, "spec")["properties"].pop("tag"), ".spec.tag: was removed"),
    "deep inside": (
        lambda v: at(v, "spec.portForwarding[]")["properties"].pop("guestPort"),
        ".spec.portForwarding[].guestPort: was removed",
    ),
    "another type": (put("spec.priority", type="string"), ".spec.priority: type integer became string"),
    "another format": (put("spec.restartedAt", format="date"), ".spec.restartedAt: format date-time became date"),
    "required": (
        lambda v: at(v, "spec")["required"].append("tag"),
        ".spec.tag: is now required",
    ),
    "a new field that is required": (
        lambda v: (at(v, "spec")["properties"].update({"colour": {"type": "string"}}),
                   at(v, "spec")["required"].append("colour")),
        ".spec.colour: is now required",
    ),
    "a word less": (
        lambda v: at(v, "status.phase")["enum"].remove("Pushing"),
        ".status.phase: the word Pushing is no longer allowed",
    ),
    "words where any were allowed": (
        put("spec.template", enum=["macos-15"]), ".spec.template: only some words are allowed now",
    ),
    "a pattern": (put("spec.tag", pattern="^[a-z]+$"), ".spec.tag: pattern (none) became ^[a-z]+$"),
    "a lower maximum": (put("spec.priority", maximum=100), ".spec.priority: maximum 10000 became 100"),
    "a higher minimum": (put("spec.priority", minimum=2), ".spec.priority: minimum 1 became 2"),
    "a limit where there was none": (
        put("spec.restartedAt", maxLength=20), ".spec.restartedAt: maxLength (none) became 20",
    ),
    "fewer items": (
        put("spec.portForwarding", maxItems=8), ".spec.portForwarding: maxItems 64 became 8",
    ),
    "another default": (put("spec.priority", default=1), ".spec.priority: default 1000 became 1"),
    "no default any more": (
        lambda v: at(v, "spec.priority").pop("default"), ".spec.priority: default 1000 became (none)",
    ),
    "other keys of a list": (
        put("spec.portForwarding", **{"x-kubernetes-list-map-keys": ["guestPort"]}),
        ".spec.portForwarding: x-kubernetes-list-map-keys ['name'] became ['guestPort']",
    ),
    "another kind of list": (
        put("spec.portForwarding", **{"x-kubernetes-list-type": "atomic"}),
        ".spec.portForwarding: x-kubernetes-list-type map became atomic",
    ),
    "values of any type no more": (
        lambda v: at(v, "spec.metadata").pop("additionalProperties"), ".spec.metadata{}: was removed",
    ),
    "a rule": (rule("spec", rule="has(self.tag)"), ".spec: the rule 'has(self.tag)' is new"),
    "a rule that only says that it is lenient": (
        rule("spec", rule="has(self.tag)", optionalOldSelf=True), ".spec: the rule 'has(self.tag)' is new",
    ),
    "a changed rule": (
        lambda v: at(v, "")["x-kubernetes-validations"][0].update(rule="false"), "the object: the rule 'false' is new",
    ),
    "not selectable": (
        lambda v: v["selectableFields"].pop(0), "v1alpha1: .status.nodeName is no longer selectable",
    ),
    "no status": (lambda v: v.pop("subresources"), "v1alpha1: the subresource status was removed"),
    "another version": (lambda v: v.update(name="v1"), "v1alpha1: the version is no longer served"),
    "not served": (lambda v: v.update(served=False), "v1alpha1: the version is no longer served"),
}  # fmt: skip
OF_THE_WHOLE: dict[str, tuple[Callable[[Node], Any], str]] = {
    "scope": (lambda spec: spec.update(scope="Cluster"), "scope: Namespaced became Cluster"),
    "group": (lambda spec: spec.update(group="x"), "group: anka.veertu.com became x"),
    "plural": (lambda spec: spec["names"].update(plural="x"), "names.plural: ankainstances became x"),
    "short name": (lambda spec: spec["names"]["shortNames"].remove("avm"), "names.shortNames: avm was removed"),
    "category": (lambda spec: spec["names"].pop("categories"), "names.categories: anka was removed"),
}


@pytest.mark.parametrize("name", ADDITIONS)
def test_additions_are_fine(name: str) -> None:
    new = changed(ADDITIONS[name])
    assert (new != INSTANCES) is (name != "nothing")
    assert breaking(INSTANCES, new) == []


@pytest.mark.parametrize("name", BREAKS)
def test_what_takes_away_is_named(name: str) -> None:
    change, said = BREAKS[name]
    assert breaking(INSTANCES, changed(change)) == [said]


@pytest.mark.parametrize("name", OF_THE_WHOLE)
def test_so_is_what_the_whole_kind_loses(name: str) -> None:
    change, said = OF_THE_WHOLE[name]
    new = copy.deepcopy(INSTANCES)
    change(new["spec"])
    assert breaking(INSTANCES, new) == [said]
