"""Before a client is told that there is no such tag or template, the registry is asked: briefly, and seldom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from anka_shim.catalog import check_version, find_template
from anka_shim.failure import Failure
from anka_shim.store import registry_reader as module
from anka_shim.store.caches import Stores
from anka_shim.store.registry_reader import RegistryReader
from support.fake_registry import FakeRegistry
from support.objects import TEMPLATE, template

OTHER = "11111111-1111-1111-1111-111111111111"


class Desk:
    def __init__(self) -> None:
        self.registry = FakeRegistry()
        self.registry.held = {TEMPLATE: ("macos-15", ["v1", "v2", "v3"]), OTHER: ("macos-16", ["a"])}
        self.stores = Stores()
        self.stores.templates.observe(template())  # v1 and v2 of TEMPLATE
        self.reader = RegistryReader(self.registry)

    async def choose(self, word: str, tag: str | None = None, number: int | None = None) -> str:
        """The id, or the message of the failure."""

        def find(catalog: object) -> str:
            found = find_template(word, catalog, "vmid")  # type: ignore[arg-type]
            check_version(tag, number, found)
            return found.metadata.name

        try:
            return await self.reader.resolve(find, self.stores)
        except Failure as failure:
            return failure.message


@pytest.fixture
async def desk(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(module, "ANSWER_SECONDS", 60.0)
    made = Desk()
    yield made
    made.reader.close()


@pytest.mark.parametrize(
    ("word", "tag", "number", "wanted"),
    [
        (TEMPLATE, "v3", None, TEMPLATE),
        ("macos-15", "v3", None, TEMPLATE),
        ("macos-15", None, 2, TEMPLATE),
        ("macos-16", None, None, OTHER),
        ("macos-16", "a", None, OTHER),
        (OTHER.upper(), "a", None, OTHER),
        ("macos-15", "nope", None, "No such tag nope"),
        ("macos-15", None, 9, "No such version 9"),
        ("macos-16", "v1", None, "No such tag v1"),
        ("nope", None, None, "VM not in the registry"),
        ("nope", "v1", None, "VM not in the registry"),
    ],
)
async def test_the_registry_knows_better(
    desk: Desk, word: str, tag: str | None, number: int | None, wanted: str
) -> None:
    assert await desk.choose(word, tag, number) == wanted


@pytest.mark.parametrize("word", ["Sequoia", "macos-15", TEMPLATE])
async def test_a_tag_that_was_just_pushed_is_found_by_every_name(desk: Desk, word: str) -> None:
    desk.stores.templates.observe(template(displayName="Sequoia", meta={"version": 2}))
    assert await desk.choose(word, "v3") == TEMPLATE
    assert await desk.choose(word, "v9") == "No such tag v9"


async def test_what_the_objects_have_costs_no_request(desk: Desk) -> None:
    assert await desk.choose("macos-15", "v2") == TEMPLATE
    assert (desk.registry.lists, desk.registry.reads) == (0, [])


async def test_a_name_that_another_template_has_now(desk: Desk) -> None:
    desk.registry.held = {OTHER: ("macos-15", ["a"])}
    gone = template(meta={"version": 2, "deletionTimestamp": "2026-01-01T00:00:00Z"})
    desk.stores.templates.observe(gone)
    assert await desk.choose("macos-15", "a") == OTHER


@pytest.mark.parametrize("tags", [(), ("v1",)])
async def test_without_any_version_nothing_starts(desk: Desk, tags: tuple[str, ...]) -> None:
    given = {"type": "Ready", "status": "False", "reason": "NoVersions", "message": ""}
    ready = {**given, "lastTransitionTime": "2026-01-01T00:00:00Z"}
    desk.stores.templates.observe(template(tags=(), meta={"version": 2}, status={"conditions": [ready]}))
    desk.registry.held = {TEMPLATE: ("macos-15", tags)}
    assert await desk.choose("macos-15") == (TEMPLATE if tags else "the registry has no version of template macos-15")


async def test_a_flood_of_wrong_names_is_none_on_the_registry(desk: Desk) -> None:
    wrong = [desk.choose("macos-15", f"no-{number}") for number in range(300)]
    unknown = [desk.choose(f"no-{number}") for number in range(300)]
    found = await asyncio.gather(*wrong, *unknown)
    assert found == [*(f"No such tag no-{number}" for number in range(300)), *["VM not in the registry"] * 300]
    assert desk.registry.lists <= 3
    assert len(desk.registry.reads) <= 3


async def test_what_was_pushed_before_the_question_counts_however_often_it_was_asked(desk: Desk) -> None:
    for number in range(5):
        assert await desk.choose("macos-15", f"new-{number}") == f"No such tag new-{number}"
        desk.registry.held[TEMPLATE] = ("macos-15", ["v1", f"new-{number}"])
        assert await desk.choose("macos-15", f"new-{number}") == TEMPLATE


async def test_a_registry_that_does_not_answer_leaves_the_first_word(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.registry.down = True
    assert await desk.choose("macos-15", "v3") == "No such tag v3"
    desk.registry.down = False
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.01)
    desk.registry.list_gate = asyncio.Event()
    assert await desk.choose("macos-15", "v3") == "No such tag v3"
    desk.registry.list_gate.set()
    desk.reader = RegistryReader(None)
    assert await desk.choose("macos-15", "v3") == "No such tag v3"


async def test_one_template(desk: Desk) -> None:
    known = await desk.reader.template(TEMPLATE, is_mirrored=True)
    assert known is not None
    assert [version.tag for version in known.versions] == ["v1", "v2", "v3"]
    before = len(desk.registry.reads)
    assert await desk.reader.template("made up", is_mirrored=False) is None
    assert len(desk.registry.reads) == before
    del desk.registry.held[TEMPLATE]
    assert await desk.reader.template(TEMPLATE, is_mirrored=True) is None
