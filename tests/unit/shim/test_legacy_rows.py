"""docs/reference/legacy-fields.md says of each field of an answer where it comes from. Compared with what the code
does: every place that changes the field is named in its row, and every place that is named changes it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import pytest
from pydantic import BaseModel, Field

from anka_crds.api import (
    AnkaInstance,
    AnkaNode,
    AnkaTemplate,
    ApiKey,
    NodeGroup,
    PermissionGroup,
    SaveImage,
    TemplateDistribution,
)
from anka_crds.api.meta import ApiModel, ObjectMeta
from anka_crds.api.node import MacUsage
from anka_crds.api.states import NodeState, Phase
from anka_crds.rules.lease_usage import parse_usage, to_annotations
from anka_registry.models import RegistryTemplate
from anka_shim.annotations import INSTANCE_ID
from anka_shim.api_key.answer import api_key_answer
from anka_shim.devices.answer import usb_answer, vlan_answer
from anka_shim.distribution.answer import distribution_answer
from anka_shim.group.answer import group_answer
from anka_shim.ids import rest_id
from anka_shim.image.answer import image_answer
from anka_shim.node.answer import NodeHeartbeat, load, node_answer
from anka_shim.permission.answer import permitted_resource_answer
from anka_shim.store.caches import Stores
from anka_shim.template.answer import registry_answer, row_answer, template_answer
from anka_shim.vm.answer import element_answer, vm_answer
from support.legacy_table import PLACE, Entry, entries
from support.perturbation import (
    Leaf,
    Objects,
    Parts,
    Place,
    dependencies,
    find_leaves,
    find_names,
    make_full,
    put,
    remove,
)
from support.rest import shown

NAMESPACE = "ci"
ALWAYS = {"metadata.name", "metadata.uid", "metadata.creationTimestamp"}
"""The apiserver sees to it."""
UUID = "c983c3bf-a0c0-43dc-54dc-2fd9f7d62fce"
Changes = Mapping[Place, Any]


class LeaseSpec(ApiModel):
    renew_time: datetime | None = None


class Lease(ApiModel):
    """A node's, as far as REST reads it."""

    metadata: ObjectMeta = Field(default_factory=ObjectMeta)
    spec: LeaseSpec = Field(default_factory=LeaseSpec)


KINDS: dict[str, type[BaseModel]] = {
    model.__name__: model
    for model in (
        AnkaInstance,
        AnkaNode,
        AnkaTemplate,
        ApiKey,
        NodeGroup,
        PermissionGroup,
        SaveImage,
        TemplateDistribution,
        Lease,
    )
}


def inner(answer: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """A part of the answer; of a list, the first."""
    found: Any = answer
    for name in path:
        found = found.get(name) or {}
        found = found[0] if isinstance(found, list) else found
    return found  # type: ignore[no-any-return]


def instance(objects: Objects) -> Parts:
    obj: Any = objects["AnkaInstance"]
    answer = shown(element_answer(vm_answer(obj, rest_id(obj.metadata, NAMESPACE), "")))
    return {
        "Instance list element": answer,
        "Instance": inner(answer, "vm"),
        "VM info": inner(answer, "vm", "vminfo"),
        "Port forwarding": inner(answer, "vm", "vminfo", "port_forwarding"),
        "Startup script result": inner(answer, "vm", "startup_script"),
    }


def node(objects: Objects) -> Parts:
    obj: Any = objects["AnkaNode"]
    lease: Any = objects["Lease"]
    group: Any = objects["NodeGroup"]
    instances: Any = [objects["AnkaInstance"]]
    heartbeat = NodeHeartbeat(lease.spec.renew_time, parse_usage(lease.metadata.annotations))
    groups = dict.fromkeys(obj.spec.groups, group)
    answer = shown(node_answer(obj, groups, load(instances), heartbeat=heartbeat))
    return {
        "Node": answer,
        "Node anka_version": inner(answer, "anka_version"),
        "Node template": inner(answer, "templates"),
    }


def image(objects: Objects) -> Parts:
    save: Any = objects["SaveImage"]
    stores = Stores(NAMESPACE)
    answer = shown(image_answer(save, stores.id_of(save), stores.instance_id_of(save), ""))
    return {
        "Save image": answer,
        "Save image request": answer["request"],
        "Save image error": inner(answer, "error"),
        "Save image script_result": inner(answer, "script_result"),
    }


def distribution(objects: Objects) -> Parts:
    request: Any = objects["TemplateDistribution"]
    macs: Any = [objects["AnkaNode"]]
    answer = shown(distribution_answer(request, macs))
    listed = answer["distribute_status"].get(request.status.nodes[0].node_name) if request.status.nodes else None
    return {"Distribution": {**answer, **answer["request"], **(listed or {})}}


def template(objects: Objects) -> Parts:
    obj: Any = objects["AnkaTemplate"]
    answer = shown(template_answer(obj))
    row = shown(row_answer(obj))
    assert row == {name: answer[name] for name in row}, "the list says the same"
    return {"Template": answer, "Template version": inner(answer, "versions")}


def group(objects: Objects) -> Parts:
    obj: Any = objects["NodeGroup"]
    return {"Group": shown(group_answer(obj.metadata.name, obj))}


def api_key(objects: Objects) -> Parts:
    obj: Any = objects["ApiKey"]
    return {"API key": shown(api_key_answer(obj))}


def permitted_resource(objects: Objects) -> Parts:
    obj: Any = objects["PermissionGroup"]
    found = [shown(permitted_resource_answer(one)) for one in obj.spec.resources]
    return {"Permitted resource": inner({"body": found}, "body")}


def devices(objects: Objects) -> Parts:
    mac: Any = objects["AnkaNode"]
    claims: Any = [objects["AnkaInstance"]]
    groups = shown(usb_answer([mac], lambda _: claims))
    return {"USB": next(iter(groups.values()), {}), "VLAN": {"body": vlan_answer([mac])}}


@dataclass(frozen=True, eq=False)
class Resource:
    """How its answers are made, from which kinds, and the situations in which fields come from elsewhere."""

    translate: Callable[[Objects], Parts]
    kinds: tuple[str, ...]
    headings: tuple[str, ...]
    situations: tuple[Changes, ...] = ()


GIVEN = {("AnkaInstance", "metadata.name"): UUID, ("AnkaInstance", "spec.startupScript.monitoring"): True}
ENDED_AT_ONCE = {
    ("TemplateDistribution", "status.phase"): "Error",
    ("TemplateDistribution", "status.nodes"): [],
    ("TemplateDistribution", "status.nextNode"): None,
    ("TemplateDistribution", "status.finished"): None,
    ("TemplateDistribution", "status.conditions.type"): "Ready",
    ("AnkaNode", "spec.groups"): ["group-0"],
}
DEVICE = {
    ("AnkaNode", "status.state"): NodeState.ACTIVE,
    ("AnkaNode", "status.usbDevices.available"): True,
    ("AnkaInstance", "status.usbDevice"): "locationid-0",
    ("AnkaInstance", "spec.usbDevice"): "locationid-0",
}
RESOURCES = (
    Resource(
        instance,
        ("AnkaInstance",),
        ("Instance list element", "Instance", "VM info", "Port forwarding", "Startup script result"),
        (
            {**GIVEN, ("AnkaInstance", "status.phase"): Phase.STARTED},
            {**GIVEN, ("AnkaInstance", "status.phase"): Phase.SCHEDULING, ("AnkaInstance", "status.refusals"): []},
            {**GIVEN, ("AnkaInstance", "status.phase"): Phase.TERMINATED},
        ),
    ),
    Resource(
        node,
        ("AnkaNode", "Lease", "NodeGroup", "AnkaInstance"),
        ("Node", "Node anka_version", "Node template"),
        (
            {("AnkaNode", "spec.capacityMode"): "resource"},
            {("AnkaNode", "status.state"): NodeState.ACTIVE},
            {("AnkaInstance", "status.phase"): Phase.ERROR},
            {("AnkaInstance", "status.phase"): Phase.ERROR, ("AnkaInstance", "status.vm.status"): "running"},
        ),
    ),
    Resource(template, ("AnkaTemplate",), ("Template", "Template version")),
    Resource(
        distribution,
        ("TemplateDistribution", "AnkaNode"),
        ("Distribution",),
        (
            {
                ("TemplateDistribution", "status.nodes.done"): True,
                ("TemplateDistribution", "status.nodes.message"): None,
            },
            {**ENDED_AT_ONCE, ("TemplateDistribution", "spec.nodes"): []},
            {**ENDED_AT_ONCE, ("TemplateDistribution", "spec.nodes"): [], ("TemplateDistribution", "spec.group"): None},
        ),
    ),
    Resource(
        image,
        ("SaveImage",),
        ("Save image", "Save image request", "Save image error", "Save image script_result"),
        ({("SaveImage", "metadata.name"): UUID, ("SaveImage", "spec.instance"): UUID},),
    ),
    Resource(group, ("NodeGroup",), ("Group",)),
    Resource(api_key, ("ApiKey",), ("API key",)),
    Resource(permitted_resource, ("PermissionGroup",), ("Permitted resource",)),
    Resource(
        devices,
        ("AnkaNode", "AnkaInstance"),
        ("USB", "VLAN"),
        (
            DEVICE,
            {**DEVICE, ("AnkaInstance", "status.usbDevice"): None},
            {**DEVICE, ("AnkaInstance", "status.phase"): Phase.ERROR},
            {
                **DEVICE,
                ("AnkaInstance", "status.phase"): Phase.ERROR,
                ("AnkaInstance", "status.vm.status"): "running",
            },
        ),
    ),
)

WHOLES = {("Instance list element", "vm"), ("Save image", "request"), ("Distribution", "request")}
"""What is in them has rows of its own."""


@cache
def full(kind: str) -> tuple[BaseModel, BaseModel]:
    """Two objects that differ at every place."""
    one, two = (make_full(KINDS[kind], pick) for pick in (0, 1))
    for pick, obj in enumerate((one, two)):
        metadata: Any = obj.metadata  # type: ignore[attr-defined]
        metadata.namespace = NAMESPACE
        if isinstance(obj, SaveImage):
            metadata.labels = {INSTANCE_ID: f"id-{pick}"}
        if isinstance(obj, Lease):
            metadata.annotations = to_annotations(make_full(MacUsage, pick))
    return one, two


@cache
def leaves(kind: str) -> list[Leaf]:
    return [_as_served(leaf) for leaf in find_leaves(*full(kind))]


def _as_served(leaf: Leaf) -> Leaf:
    values = ("elsewhere",) if leaf.path == "metadata.namespace" else leaf.values
    return Leaf(leaf.path, leaf.names, values[:1] if leaf.path in ALWAYS else values)


def named(entry: Entry) -> set[Place]:
    return set(PLACE.findall(f"{entry.place} {entry.how}"))


def bases(resource: Resource, rows: list[Entry]) -> Iterator[tuple[Objects, set[str]]]:
    """Situations in which everything is there, or something is missing that the rows name; and the kinds that the
    situation is about."""
    for situation in ({}, *resource.situations):
        base = {kind: full(kind)[0] for kind in resource.kinds}
        about = {kind for kind, _ in situation} or set(resource.kinds)
        deleted = {(kind, "metadata.deletionTimestamp"): None for kind in resource.kinds}
        for (kind, path), value in {**deleted, **situation}.items():
            base[kind] = put(base[kind], find_names(full(kind)[0], path), value)
        yield base, about
        for places in sorted(_missing(rows)):
            if about.issuperset(kind for kind, _ in places):
                yield _without(base, places), about


def _missing(rows: list[Entry]) -> set[tuple[Place, ...]]:
    """Each place, what it is in, and the first places of a row: what comes after them may count then."""
    found: set[tuple[Place, ...]] = set()
    for entry in rows:
        places = [place for place in PLACE.findall(f"{entry.place} {entry.how}") if place[1] not in ALWAYS]
        found |= {tuple(places[:end]) for end in range(1, len(places) + 1)} | {(place,) for place in places}
        found |= {((kind, path.rpartition(".")[0]),) for kind, path in places if path.count(".") > 1}
    return found


def _without(base: Objects, places: tuple[Place, ...]) -> Objects:
    changed = dict(base)
    for kind, path in places:
        if kind in changed:
            changed[kind] = remove(changed[kind], find_names(full(kind)[0], path))
    return changed


def is_below(place: Place, above: Place) -> bool:
    return place[0] == above[0] and (place[1] == above[1] or place[1].startswith(f"{above[1]}."))


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.headings[0])
def test_a_row_names_what_its_field_comes_from(resource: Resource) -> None:
    rows = [entry for entry in entries() if entry.heading in resource.headings]
    seen = dependencies(resource.translate, {kind: leaves(kind) for kind in resource.kinds}, bases(resource, rows))
    wrong = {}
    for entry in rows:
        if (entry.heading, entry.old) in WHOLES:
            continue
        told, places = named(entry), seen.get((entry.heading, entry.old), set())
        untold = {place for place in places if not any(is_below(place, above) for above in told)}
        untrue = {above for above in told if not any(is_below(place, above) for place in places)}
        if untold or untrue:
            wrong[f"{entry.heading}: {entry.old}"] = {"not told": sorted(untold), "not true": sorted(untrue)}
    assert not wrong, "\n".join(f"{field}: {what}" for field, what in wrong.items())


def test_all_answers_are_compared() -> None:
    compared = {heading for resource in RESOURCES for heading in resource.headings}
    # Requests are compared in test_fields.py, and states in those of the models.
    others = {entry.heading for entry in entries() if not re.search(r"param|requests?$|states$", entry.heading)}
    others |= {"Save image request"}
    elsewhere = {"Node configuration", "Nodes of groups", "Fields without an old counterpart", "Status"}
    assert others - compared == elsewhere


def test_a_template_that_is_read_from_the_registry_says_what_the_registry_says() -> None:
    """`GET registry/vm?id=`: each field is the registry's of the same name."""
    one, two = (make_full(RegistryTemplate, pick) for pick in (0, 1))

    def translate(objects: Objects) -> Parts:
        known: Any = objects["registry"]
        answer = shown(registry_answer(known))
        return {"Template": answer, "Template version": inner(answer, "versions")}

    seen = dependencies(translate, {"registry": list(find_leaves(one, two))}, [({"registry": one}, {"registry"})])
    for heading, above in (("Template", ""), ("Template version", "versions.")):
        for entry in (entry for entry in entries() if entry.heading == heading and entry.old != "versions"):
            assert seen[heading, entry.old] == {("registry", above + entry.old)}
