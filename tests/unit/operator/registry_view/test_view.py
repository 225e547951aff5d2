"""What the operator knows of the registry, and when it asks again."""

from __future__ import annotations

import asyncio

import pytest

from anka_crds.resources import TEMPLATES
from anka_kube.store import Store
from anka_operator.registry_view import view as module
from anka_operator.registry_view.view import RegistryView
from anka_scheduler.catalog import ResolvedVersion, TemplateCatalog
from anka_scheduler.shape import Shape
from support.fake_registry import FakeRegistry
from support.objects import TEMPLATE, template

OTHER = "11111111-1111-1111-1111-111111111111"


class Sight:
    def __init__(self) -> None:
        self.store = Store(TEMPLATES)
        self.registry = FakeRegistry()
        self.view = RegistryView(self.store, self.registry)
        self.told: list[str | None] = []
        self.view.subscribe(self.told.append)

    def latest(self, word: str = "macos-15", tag: str | None = None) -> str | None:
        """The tag that an instance gets, or None."""
        found = TemplateCatalog(self.view.templates()).resolve(Shape(word, tag))
        return found.tag if isinstance(found, ResolvedVersion) else None


@pytest.fixture
def sight() -> Sight:
    made = Sight()
    made.registry.held = {TEMPLATE: ("macos-15", ["v1", "v2"])}
    return made


async def test_what_is_pushed_reverted_or_deleted_counts_for_who_asks_afterwards(sight: Sight) -> None:
    held = sight.registry.held
    assert await sight.view.confirm("macos-15")
    assert sight.latest() == "v2"
    held[TEMPLATE] = ("macos-15", ["v1", "v2", "v3"])
    assert await sight.view.confirm("macos-15")
    assert (sight.latest(), sight.latest(tag="v2")) == ("v3", "v2")
    held[TEMPLATE] = ("macos-15", ["v1"])
    assert await sight.view.confirm(TEMPLATE)
    assert (sight.latest(), sight.latest(tag="v3")) == ("v1", None)
    held[TEMPLATE] = ("macos-15", [])
    assert await sight.view.confirm(TEMPLATE.upper())
    assert sight.latest() is None
    del held[TEMPLATE]
    assert await sight.view.confirm("macos-15")
    assert (sight.latest(), list(sight.view.ids), sight.view.is_gone(TEMPLATE)) == (None, [], True)


async def test_the_object_of_a_template_that_is_gone_starts_nothing(sight: Sight) -> None:
    """It can stay because of its rules, and has the versions of former times."""
    sight.store.observe(template())
    assert sight.latest() == "v2"
    del sight.registry.held[TEMPLATE]
    assert await sight.view.confirm("macos-15")
    assert sight.latest() is None


async def test_a_template_pushed_again_under_its_name_or_id(sight: Sight) -> None:
    held = sight.registry.held
    await sight.view.confirm("macos-15")
    del held[TEMPLATE]
    held[OTHER] = ("macos-15", ["a"])
    assert await sight.view.confirm("macos-15")
    assert sight.latest() == "a"
    del held[OTHER]
    held[TEMPLATE] = ("macos-15", ["again"])
    assert await sight.view.confirm("macos-15")
    assert sight.latest() == "again"


async def test_a_template_with_a_new_name(sight: Sight) -> None:
    await sight.view.confirm("macos-15")
    sight.registry.held = {TEMPLATE: ("older", ["v1"]), OTHER: ("macos-15", ["a"])}
    assert await sight.view.confirm("macos-15")
    assert (sight.latest(), sight.latest("older")) == ("a", "v1")


async def test_a_burst_costs_two_reads(sight: Sight) -> None:
    await sight.view.poll()
    sight.registry.reads.clear()
    sight.registry.begun.clear()
    sight.registry.gate = asyncio.Event()
    first = [asyncio.create_task(sight.view.confirm("macos-15")) for _ in range(500)]
    await sight.registry.begun.wait()
    sight.registry.held[TEMPLATE] = ("macos-15", ["v3"])
    late = [asyncio.create_task(sight.view.confirm("macos-15")) for _ in range(500)]
    await asyncio.sleep(0)
    sight.registry.gate.set()
    assert all(await asyncio.gather(*first, *late))
    assert sight.registry.reads == [TEMPLATE, TEMPLATE]
    assert sight.latest() == "v3"


async def test_names_that_do_not_exist_cost_lists_that_are_shared(sight: Sight) -> None:
    await sight.view.poll()
    before = sight.registry.lists
    asked = [sight.view.confirm(f"no-{number}") for number in range(200)]
    assert all(await asyncio.gather(*asked))
    assert sight.registry.lists <= before + 2


async def test_without_an_answer_what_was_known_counts(sight: Sight, monkeypatch: pytest.MonkeyPatch) -> None:
    await sight.view.poll()
    sight.registry.down = True
    assert not await sight.view.confirm("macos-15")
    assert (sight.latest(), sight.view.error) == ("v2", "registry http://registry:8089 does not answer: refused")
    sight.registry.down = False
    assert await sight.view.confirm("macos-15")
    await sight.view.poll()
    assert sight.view.error is None

    monkeypatch.setattr(module, "CONFIRM_SECONDS", 0.01)
    sight.registry.gate = asyncio.Event()
    assert not await sight.view.confirm("macos-15")
    sight.registry.gate.set()


async def test_a_refusal_is_believed_if_the_list_agrees(sight: Sight, caplog: pytest.LogCaptureFixture) -> None:
    """A registry in trouble says FAIL, too."""
    await sight.view.poll()
    sight.registry.confused = {TEMPLATE}
    for _ in range(2):
        assert not await sight.view.confirm("macos-15")
    assert sight.latest() == "v2"
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        f"registry: template {TEMPLATE}: {TEMPLATE}: not found; the template stays as it is"
    ]


async def test_a_list_that_began_before_a_read_does_not_overrule_it(sight: Sight) -> None:
    await sight.view.poll()
    sight.registry.list_gate = asyncio.Event()
    del sight.registry.held[TEMPLATE]
    polling = asyncio.create_task(sight.view.poll())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    sight.registry.held[TEMPLATE] = ("macos-15", ["again"])
    await sight.view.ask(TEMPLATE)
    sight.registry.list_gate.set()
    await polling
    assert sight.latest() == "again"


async def test_listeners_hear_of_changes_alone(sight: Sight) -> None:
    await sight.view.poll()
    assert sight.told == [None, TEMPLATE]
    await sight.view.poll()
    sight.registry.held[TEMPLATE] = ("macos-15", ["v3"])
    await sight.view.poll()
    sight.registry.down = True
    await sight.view.poll()
    await sight.view.poll()
    assert sight.told == [None, TEMPLATE, TEMPLATE, None]


async def test_listeners_hear_that_a_template_is_gone_which_was_never_read(sight: Sight) -> None:
    sight.registry.confused = {TEMPLATE}
    await sight.view.poll()
    assert (sight.told, sight.view.is_gone(TEMPLATE)) == ([None], False)
    sight.registry.held = {}
    await sight.view.poll()
    assert (sight.told, sight.view.is_gone(TEMPLATE)) == ([None, TEMPLATE], True)


async def test_what_a_poll_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    """200 templates: the list, and a seventh of them; what the list shows as changed is read at once."""
    sight = Sight()
    monkeypatch.setattr(module, "TEMPLATE_PAUSE_SECONDS", 0)
    ids = [f"id-{number}" for number in range(200)]
    sight.registry.held = {uuid: (f"name-{uuid}", ["v1"]) for uuid in ids}
    await sight.view.poll()
    assert sorted(sight.registry.reads) == sorted(ids)
    costs = []
    for _ in range(6):
        sight.registry.reads.clear()
        await sight.view.poll()
        costs.append(len(sight.registry.reads))
    assert costs == [40] * 6  # every 4 s: all of them in 20 s
    sight.registry.reads.clear()
    sight.registry.held["id-7"] = ("another name", ["v1"])
    await sight.view.poll()
    assert "id-7" in sight.registry.reads[:1]


async def test_a_process_that_ends_leaves_no_read(sight: Sight) -> None:
    sight.registry.gate = asyncio.Event()
    async with sight.view:
        asked = asyncio.create_task(sight.view.confirm("macos-15"))
        await asyncio.sleep(0)
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    left = [task for task in asyncio.all_tasks() if task.get_name() == "shared read" and not task.cancelling()]
    assert left == []


async def test_templates_that_cannot_be_read_do_not_take_the_turns_of_the_others(
    sight: Sight, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TEMPLATE_PAUSE_SECONDS", 0)
    ids = [f"id-{number}" for number in range(100)]
    sight.registry.held = {uuid: (f"name-{uuid}", ["v1"]) for uuid in ids}
    sight.registry.confused = set(ids[:60])
    await sight.view.poll()
    sight.registry.reads.clear()
    for _ in range(3):  # 40 each
        await sight.view.poll()
    assert set(sight.registry.reads) == set(ids)
