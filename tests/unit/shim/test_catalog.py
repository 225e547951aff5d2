from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from anka_crds.api import AnkaNode, AnkaTemplate, NodeGroup
from anka_shim.failure import Failure
from anka_shim.vm.request import StartVm, read_start, resolve
from support.rest import read

ID = "6b135004-0c89-43bb-b892-74796b8d266c"


def template(id_: str, name: str | None, *tags: str, deleted: bool = False) -> AnkaTemplate:
    metadata: dict[str, Any] = {"name": id_}
    if deleted:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    versions = [{"number": number, "tag": tag} for number, tag in enumerate(tags)]
    return AnkaTemplate.from_api({"metadata": metadata, "status": {"name": name, "versions": versions}})


class Fleet:
    templates = (
        template(ID, "macos", "v1", "v2"),
        template("twin-a", "twin", "v1"),
        template("twin-b", "twin", "v1"),
        template("leaving", "leaving", "v1", deleted=True),
        template("unread", None),
    )
    groups_ = (
        NodeGroup.from_api({"metadata": {"name": "ios"}, "spec": {"displayName": "iOS builds"}}),
        NodeGroup.from_api({"metadata": {"name": "a"}, "spec": {"displayName": "same"}}),
        NodeGroup.from_api({"metadata": {"name": "b"}, "spec": {"displayName": "same"}}),
    )

    def template(self, id_: str) -> AnkaTemplate | None:
        return next((item for item in self.templates if item.metadata.name == id_), None)

    def templates_named(self, name: str) -> Sequence[AnkaTemplate]:
        return [item for item in self.templates if item.status.name == name]

    def node(self, id_: str) -> AnkaNode | None:
        return AnkaNode.from_api({"metadata": {"name": id_}}) if id_ == "mac-1" else None

    def nodes_named(self, name: str) -> list[AnkaNode]:
        return []

    def group(self, id_: str) -> NodeGroup | None:
        return next((item for item in self.groups_ if item.metadata.name == id_), None)

    def groups_named(self, name: str) -> Sequence[NodeGroup]:
        return [item for item in self.groups_ if item.spec.display_name == name]


def spec(**parameters: Any) -> dict[str, Any]:
    return resolve(read_start(read(StartVm, parameters), max_count=1), Fleet()).to_api()


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"vmid": ID}, {"template": ID}),
        ({"vmid": ID.upper()}, {"template": ID}),
        ({"vmid": "macos"}, {"template": ID}),
        ({"vmid": ID, "tag": "v2"}, {"template": ID, "tag": "v2"}),
        ({"vmid": ID, "version": 1}, {"template": ID, "version": 1}),
        ({"vmid": "unread", "tag": "any"}, {"template": "unread", "tag": "any"}),
        ({"vmid": ID, "node_id": "mac-1"}, {"node": "mac-1"}),
        ({"vmid": ID, "group_id": "ios"}, {"group": "ios"}),
        ({"vmid": ID, "group_id": "iOS builds"}, {"group": "ios"}),
    ],
)
def test_words_become_ids(parameters: dict[str, Any], expected: dict[str, Any]) -> None:
    assert spec(**parameters).items() >= expected.items()


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        # Word for word: clients compare these.
        ({"vmid": "nope"}, "VM not in the registry"),
        ({"vmid": "leaving"}, "VM not in the registry"),
        ({"vmid": ID, "tag": "v3"}, "No such tag v3"),
        ({"vmid": ID, "tag": "V1"}, "No such tag V1"),
        ({"vmid": ID, "tag": " v1"}, "No such tag  v1"),
        ({"vmid": ID, "tag": "vanilla+port-forward-22+brew-git"}, "No such tag vanilla+port-forward-22+brew-git"),
        ({"vmid": ID, "version": 2}, "No such version 2"),
        ({"vmid": "twin"}, "vmid: 2 templates are called 'twin': give the UUID of one"),
        ({"vmid": ID, "node_id": "mac 2"}, "node_id: no such node (given: 'mac 2')"),
        ({"vmid": ID, "group_id": "android"}, "group_id: no such group (given: 'android')"),
        ({"vmid": ID, "group_id": "same"}, "group_id: 2 groups have this name, give the id of one (given: 'same')"),
    ],
)
def test_unknown_words(parameters: dict[str, Any], says: str) -> None:
    with pytest.raises(Failure) as caught:
        spec(**parameters)
    assert caught.value.message == says
