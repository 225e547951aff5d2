"""What a registry holds: versions on top of each other, and which images stay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from anka_sim.registry.catalog import CatalogError, RegistryCatalog

UUID = "c0847bc9-5d2d-4dbc-ba6a-240f7ff08032"


@pytest.fixture
def catalog(tmp_path: Path) -> RegistryCatalog:
    return RegistryCatalog(tmp_path)


def push(catalog: RegistryCatalog, tag: str, layer: str, **options: Any) -> dict[str, Any]:
    image = catalog.image(UUID, layer)
    image.parent.mkdir(parents=True, exist_ok=True)
    image.touch()
    about = {"name": layer, "size": 10, "payload": 0}
    return catalog.push(UUID, "ventura", tag, about, arch="arm64", config={}, **options)


def images(catalog: RegistryCatalog) -> list[str]:
    return sorted(path.name for path in catalog.image(UUID, "x").parent.iterdir())


def test_a_version_has_the_layers_of_the_one_below(catalog: RegistryCatalog) -> None:
    push(catalog, "a", "1.ank")
    assert push(catalog, "b", "2.ank")["size"] == 20
    assert [layer["name"] for layer in catalog.version(UUID, "b")["layers"]] == ["1.ank", "2.ank"]
    assert catalog.version(UUID)["tag"] == "b"
    assert catalog.version(UUID, number=0)["tag"] == "a"
    with pytest.raises(CatalogError, match="tag b already exists"):
        push(catalog, "b", "3.ank")


def test_revert_removes_newer_versions_and_the_images_that_none_has_any_more(catalog: RegistryCatalog) -> None:
    for tag, layer in (("a", "1.ank"), ("b", "2.ank"), ("c", "3.ank")):
        push(catalog, tag, layer)
    catalog.revert(UUID, "b")
    assert [version["tag"] for version in catalog.get(UUID)["versions"]] == ["a"]
    assert images(catalog) == ["1.ank"]


def test_a_tag_that_is_replaced_gives_its_image_free(catalog: RegistryCatalog) -> None:
    push(catalog, "a", "1.ank")
    push(catalog, "a", "2.ank", force=True)
    assert images(catalog) == ["2.ank"]


def test_pulls_are_recorded(catalog: RegistryCatalog) -> None:
    push(catalog, "a", "1.ank")
    push(catalog, "b", "2.ank")
    catalog.record_pull(UUID, "a")
    assert [bool(version["last_pull"]) for version in catalog.get(UUID)["versions"]] == [True, False]


@pytest.mark.parametrize("name", ["../other", ".hidden", "a/b"])
def test_names_that_lead_elsewhere_are_refused(catalog: RegistryCatalog, name: str) -> None:
    with pytest.raises(CatalogError, match="bad image name"):
        catalog.image(UUID, name)
    with pytest.raises(CatalogError, match="not found"):
        catalog.get(name)
