"""What an object holds of a template: bounded in bytes, the newest, and without the names of files."""

from __future__ import annotations

import json
from typing import Any

import pytest

from anka_crds.api import AnkaNode
from anka_crds.api.limits import LOCATIONS_BYTES, MAX_VERSIONS, VERSIONS_BYTES
from anka_crds.rules.condition_list import find
from anka_kube import merge_patch
from anka_operator.registry_view.desired import KnownTemplate, to_known
from anka_operator.templates.desired import compute_status
from anka_registry.models import RegistryTemplate
from anka_scheduler.catalog import ResolvedVersion, TemplateCatalog
from anka_scheduler.shape import Shape
from support.objects import START, TEMPLATE, template

ETCD_BYTES = 1_500_000


def big(tags: int, *, layers: int = 0, description: str = "", tag: str = "{}") -> KnownTemplate:
    """`layers`: how many each version has more than the one before."""
    versions = [
        {
            "number": number,
            "tag": tag.format(f"build-2026-01-01-{number}"),
            "description": description,
            "images": [f"{layer:08}-bea7-4f3f-9d1b-2f6c7e3f6c11.ank" for layer in range(number * layers)],
            "size": 28_655_484_928,
            "arch": "arm64",
            "last_pull": 1_727_208_044,
            "last_push": 1_727_208_044,
            "creation_date": 1_727_208_044,
        }
        for number in range(tags)
    ]
    return to_known(RegistryTemplate.model_validate({"id": TEMPLATE, "name": "macos-15", "versions": versions}))


def macs(number: int, name: str = "mac-{:05}", tags: int = 1) -> list[AnkaNode]:
    held = [{"uuid": TEMPLATE, "name": "macos-15", "tag": f"v{tag}"} for tag in range(tags)]
    return [
        AnkaNode.from_api({"metadata": {"name": name.format(one)}, "status": {"templates": held}})
        for one in range(number)
    ]


@pytest.mark.parametrize(
    "known",
    [
        big(300, layers=1),
        big(5000),
        big(5000, description="x" * 4096),
        big(5000, description="ü" * 4096, tag="{}-" + "ß" * 200),
        big(600, tag="{}" + "t" * 4000),
    ],
    ids=["300 tags of layers", "5000", "descriptions", "umlauts", "long tags"],
)
@pytest.mark.parametrize("holders", [[], macs(1025), macs(2000, "m" * 240 + "{:05}", tags=3)])
def test_an_object_fits_into_etcd_whatever_the_registry_has(known: KnownTemplate, holders: list[AnkaNode]) -> None:
    before = template(tags=())
    patch = compute_status(before, known, holders, gone=False, registry_error=None, now=START)
    seen = merge_patch.apply(before.to_api(), {"status": patch or {}})
    assert len(json.dumps(seen, ensure_ascii=False).encode()) < ETCD_BYTES * 0.7
    assert len(json.dumps(seen["status"]["versions"], ensure_ascii=False).encode()) < VERSIONS_BYTES * 1.1
    assert len(json.dumps(seen["status"].get("nodes", [])).encode()) < LOCATIONS_BYTES * 1.1
    # The newest are there, and what is not is told with numbers.
    assert known.mirrored == known.versions[-len(known.mirrored) :]
    ready = find(type(before).from_api(seen).status.conditions, "Ready")
    assert ready is not None
    cut = f"its newest {len(known.mirrored)} of {len(known.versions)} versions are shown"
    assert (cut in ready.message) == (len(known.mirrored) < len(known.versions))
    number = sum(len(mac.status.templates) for mac in holders)
    shown = len(seen["status"].get("nodes", []))
    assert (f"{shown} of the {number} tags that Macs hold are shown" in ready.message) == (shown < number)


def test_ordinary_templates_are_complete() -> None:
    known = big(1000)
    assert known.mirrored == known.versions
    assert len(known.versions) == 1000
    before = template(tags=())
    patch = compute_status(before, known, macs(1025), gone=False, registry_error=None, now=START)
    assert patch is not None
    assert len(patch["nodes"]) == 1025


def test_the_oldest_of_thousands_can_be_started() -> None:
    known = big(MAX_VERSIONS + 500)
    assert len(known.mirrored) < len(known.versions) == MAX_VERSIONS + 500
    whole = template().model_copy(update={"status": template().status.model_copy(update=known.fields)})
    for wanted in (Shape(TEMPLATE, "build-2026-01-01-0"), Shape(TEMPLATE, version=0)):
        found = TemplateCatalog([whole]).resolve(wanted)
        assert isinstance(found, ResolvedVersion)
        assert found.version == 0


def test_a_tag_that_no_object_can_hold_is_left_out() -> None:
    versions: list[dict[str, Any]] = [{"number": 0, "tag": "t" * 5000}, {"number": 1, "tag": "v1"}]
    known = to_known(RegistryTemplate.model_validate({"id": TEMPLATE, "name": "x", "versions": versions}))
    assert [version.tag for version in known.versions] == ["v1"]


ONE = {"number": 3, "tag": "v1", "images": ["a", "b"], "last_push": 1_727_208_044, "creation_date": 1_727_208_044}


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True), ({"last_pull": 5}, True), ({"description": "better"}, True), ({"size": 7}, True),
        ({"images": ["a", "c"]}, False), ({"images": ["ab"]}, False), ({"last_push": 1_727_208_045}, False),
        ({"creation_date": 1}, False), ({"number": 4}, False), ({"config_file": "x.yaml"}, False),
        ({"state_file": "x"}, False), ({"nvram": "x"}, False),
    ],
)  # fmt: skip
def test_a_tag_that_is_pushed_again_has_another_content(change: dict[str, Any], same: bool) -> None:
    first, second = (
        to_known(RegistryTemplate.model_validate({"id": TEMPLATE, "name": "macos-15", "versions": [{**ONE, **more}]}))
        for more in ({}, change)
    )
    assert (first.versions[0].content_id == second.versions[0].content_id) is same
    assert len(first.versions[0].content_id or "") == 16
