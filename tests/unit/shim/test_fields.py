"""The models of REST have the parameters and fields of the old API, no more and no fewer, in the shape that clients
need, and at the place that the documentation says. A parameter or field that leaves a model fails here."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from anka_shim.api_key.answer import ApiKeyAnswer
from anka_shim.api_key.request import CreateApiKey, DeleteApiKey, UpdateApiKey
from anka_shim.devices.answer import DevicesAnswer
from anka_shim.distribution.answer import (
    DistributionAnswer,
    DistributionRequestAnswer,
    NodeProgressAnswer,
    RemovalAnswer,
)
from anka_shim.distribution.request import DistributeTemplate, RemoveFromNodes
from anka_shim.group.answer import GroupAnswer
from anka_shim.group.request import CreateGroup, NodesOfGroups, UpdateGroup
from anka_shim.http.answer import OmissionMarker
from anka_shim.http.request import RequestModel
from anka_shim.image.answer import ImageAnswer, ImageErrorAnswer, ImageRequestAnswer, ImageScriptAnswer
from anka_shim.image.request import SaveVm
from anka_shim.node.answer import AnkaVersionAnswer, LocalTemplateAnswer, NodeAnswer, UsbDeviceAnswer
from anka_shim.node.request import ConfigureNode
from anka_shim.permission.answer import PermittedResourceAnswer
from anka_shim.permission.request import PermitResource
from anka_shim.status.answer import StatusAnswer
from anka_shim.template.answer import TemplateAnswer, TemplateNameAnswer, TemplateRowAnswer, TemplateVersionAnswer
from anka_shim.template.request import RevertTemplate
from anka_shim.vm.answer import ElementAnswer, PortAnswer, ScriptAnswer, VmAnswer, VmInfoAnswer
from anka_shim.vm.request import DiskSize, PortRule, RestartVm, StartVm, TerminateVm, UpdateVm
from support.legacy_table import entries

DATA = Path(__file__).resolve().parents[2] / "data"
LEGACY: dict[str, list[str]] = yaml.safe_load((DATA / "legacy-fields.yaml").read_text())
SHAPES: dict[str, dict[str, Any]] = yaml.safe_load((DATA / "contract" / "shapes.yaml").read_text())

FIELDS: dict[str, tuple[type[BaseModel], ...]] = {
    "Start parameters": (StartVm,),
    "Start parameter port_forwarding_override": (PortRule,),
    "Start parameter disk": (DiskSize,),
    "Other instance requests": (UpdateVm, TerminateVm),
    "Instance list element": (ElementAnswer,),
    "Instance": (VmAnswer,),
    "VM info": (VmInfoAnswer,),
    "Port forwarding": (PortAnswer,),
    "Startup script result": (ScriptAnswer,),
    "Node": (NodeAnswer,),
    "Node anka_version": (AnkaVersionAnswer,),
    "Node template": (LocalTemplateAnswer,),
    "Node configuration": (ConfigureNode,),
    "Template": (TemplateAnswer,),
    "Template version": (TemplateVersionAnswer,),
    "Template requests": (RevertTemplate, RemoveFromNodes, RemovalAnswer),
    "Distribution parameters": (DistributeTemplate,),
    "Distribution": (DistributionAnswer, DistributionRequestAnswer, NodeProgressAnswer),
    "Save image parameters": (SaveVm,),
    "Save image": (ImageAnswer,),
    "Save image request": (ImageRequestAnswer,),
    "Save image error": (ImageErrorAnswer,),
    "Save image script_result": (ImageScriptAnswer,),
    "Group": (GroupAnswer, CreateGroup, UpdateGroup),
    "API key parameters": (CreateApiKey, UpdateApiKey, DeleteApiKey),
    "API key": (ApiKeyAnswer,),
    "Permitted resource": (PermitResource, PermittedResourceAnswer),
    "Nodes of groups": (NodesOfGroups,),
    "USB": (DevicesAnswer,),
    "Status": (StatusAnswer,),
}
"""By the headings of legacy-fields.yaml and of docs/reference/legacy-fields.md."""

OURS = {
    "Instance": {"group"},
    "Start parameter port_forwarding_override": {"protocol"},
    "Node configuration": {"id"},
    "Template requests": {"template_id"},
    "Distribution": {"message"},
    "Save image parameters": {"instance_id"},
}
"""What the old API's documentation does not name: other spellings that clients use, and what is new."""

NOT_SERVED = {"VM info": {"tag"}, "Node configuration": set()}

SHOWN: dict[str, type[BaseModel]] = {
    "port": PortAnswer,
    "vminfo": VmInfoAnswer,
    "script": ScriptAnswer,
    "vm": VmAnswer,
    "element": ElementAnswer,
    "group": GroupAnswer,
    "anka_version": AnkaVersionAnswer,
    "held": LocalTemplateAnswer,
    "usb_device": UsbDeviceAnswer,
    "node": NodeAnswer,
    "template row": TemplateRowAnswer,
    "template row v1": TemplateNameAnswer,
    "version": TemplateVersionAnswer,
    "template": TemplateAnswer,
    "save image": ImageAnswer,
    "save image request": ImageRequestAnswer,
    "save image error": ImageErrorAnswer,
    "save image script": ImageScriptAnswer,
}
"""By the names of the shapes that the answers of a contract must have."""


def test_every_list_of_the_old_api_is_compared() -> None:
    """States are compared in the operator's tests; a VLAN is a text without fields."""
    assert LEGACY.keys() - FIELDS.keys() == {"Instance states", "Node states", "Save image states", "VLAN"}
    assert {"distribution"} == SHAPES.keys() - SHOWN.keys()


@pytest.mark.parametrize("heading", FIELDS)
def test_a_model_has_what_the_old_api_has(heading: str) -> None:
    fields = {name for model in FIELDS[heading] for name in model.model_fields}
    wanted = set(LEGACY[heading]) - NOT_SERVED.get(heading, set())
    assert fields == wanted | OURS.get(heading, set())


@pytest.mark.parametrize("heading", FIELDS)
def test_a_parameter_goes_where_the_documentation_says(heading: str) -> None:
    places = {entry.old: entry.place for entry in entries() if entry.heading == heading}
    for model in FIELDS[heading]:
        for name, place in (model.spec_paths if issubclass(model, RequestModel) else {}).items():
            if model in (PortRule, DiskSize):
                continue  # below the path of their parameter
            assert places[name].strip("`").endswith(f" spec.{place.path}"), f"{heading}: {name}"


@pytest.mark.parametrize(("model", "parameter"), [(PortRule, "port_forwarding_override"), (DiskSize, "disk")])
def test_what_is_in_a_parameter_goes_below_its_place(model: type[RequestModel], parameter: str) -> None:
    heading = f"Start parameter {parameter}"
    places = {entry.old: entry.place for entry in entries() if entry.heading == heading}
    above = StartVm.spec_paths[parameter].path
    for name, place in model.spec_paths.items():
        if name not in OURS.get(heading, ()):
            assert places[name].strip("`").endswith(f" spec.{above}.{place.path}"), name


def test_a_restart_changes_what_a_start_sets() -> None:
    for name, place in RestartVm.spec_paths.items():
        assert StartVm.spec_paths[name] == place


@pytest.mark.parametrize("shape", SHOWN)
def test_an_answer_has_the_shape_that_clients_need(shape: str) -> None:
    """Required, left out when empty, or null: as the contract has it."""
    wanted = {}
    for name, kind in SHAPES[shape].items():
        wanted[name.removesuffix("?")] = (not name.endswith("?"), _is_nullable(kind))
    assert {name: _presence(field) for name, field in SHOWN[shape].model_fields.items()} == wanted


def _is_nullable(kind: Any) -> bool:
    """Whether the contract allows null."""
    return "null" in (kind["$or"] if isinstance(kind, dict) and "$or" in kind else str(kind).split(" | "))


def _presence(field: Any) -> tuple[bool, bool]:
    """Whether the field is always there, and whether it may be null."""
    never_null = any(isinstance(mark, OmissionMarker) for mark in field.metadata)
    return field.is_required(), type(None) in get_args(field.annotation) and not never_null
