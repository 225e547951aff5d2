from __future__ import annotations

from anka_crds.api.permission_group import PermittedResource
from anka_crds.api.permissions import PERMISSIONS_OF, ControllerPermission
from anka_shim.permission.answer import permission_answers, permitted_resource_answer, resource_kind_answers
from support.rest import shown


def test_every_permission_is_explained_once() -> None:
    ids = [one.id for one in permission_answers()]
    assert sorted(ids) == sorted(ControllerPermission)
    assert all(one.label and one.description and one.category for one in permission_answers())


def test_the_permissions_of_resources_are_those_of_the_documentation() -> None:
    found = shown(resource_kind_answers())
    assert [one["resource_type"] for one in found] == ["node", "template"]
    for one in found:
        assert list(one["permissions"]) == sorted(PERMISSIONS_OF[one["resource_type"]])
    assert found[0]["permissions"]["list"] == {"label": "List Node", "description": "List Node"}
    assert found[1]["permissions"]["save_image"] == {
        "label": "Save Image Target",
        "description": "Target Template for Save Image",
    }


def test_a_resource_as_the_samples_show_it() -> None:
    given = PermittedResource.model_validate({"type": "node", "id": "a", "permissions": ["remove", "list"]})
    wanted = {"id": "a", "id_type": "id", "type": "node", "permissions": ["list", "remove"]}
    assert shown(permitted_resource_answer(given)) == wanted
