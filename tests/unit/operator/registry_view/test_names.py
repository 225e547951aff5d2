"""What words mean, by list, read templates and objects."""

from __future__ import annotations

from anka_operator.registry_view.names import index_names
from anka_registry.models import RegistryListItem, RegistryTemplate
from support.objects import template


def test_ids_and_names_of_all_sources() -> None:
    objects = [template("a", "as the object says"), template("d", "by hand", displayName="For people")]
    rows = {uuid: RegistryListItem(id=uuid, name=f"{uuid} in the list") for uuid in ("a", "b", "c")}
    read = {uuid: RegistryTemplate(id=uuid, name=f"{uuid} as read") for uuid in ("a", "b")}
    assert index_names(objects, rows, read, {"b"}) == {
        "a": {"a"},
        "a as read": {"a"},  # neither the list nor the object is newer
        "b": {"b"},
        "b as read": {"b"},
        "b in the list": {"b"},  # its row has changed since it was read
        "c": {"c"},
        "c in the list": {"c"},
        "d": {"d"},
        "by hand": {"d"},
        "For people": {"d"},
    }


def test_one_name_of_several() -> None:
    objects = [template("a", "twin"), template("b", "other", displayName="twin")]
    assert index_names(objects, {}, {}, ())["twin"] == {"a", "b"}
