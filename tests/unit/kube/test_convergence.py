"""Whatever happens in whatever order: the cache ends up as the API's truth, and its events replay to the same."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from anka_kube.api_clock import ApiClock
from anka_kube.client import KubeClient
from anka_kube.endpoint import Endpoint
from anka_kube.errors import AlreadyExists, Conflict, NotFound
from anka_kube.resource import Key
from anka_kube.store import EventType, Store
from anka_kube.unstructured import Meta, Unstructured
from anka_kube.writer import Writer
from support.manual_clock import ManualClock
from support.reflector_rig import THINGS, running
from support.scripted_api import Fault, ScriptedApi, error_event

NAMES = ("a", "b", "c")


class World:
    """An API, a watch that lags behind it by any distance, lists in flight, and answers that come late."""

    def __init__(self) -> None:
        self.truth: dict[str, Unstructured] = {}
        self.log: list[tuple[EventType, Unstructured]] = []
        self.version = 10
        self.uids = 0
        self.answers: list[Callable[[], object]] = []
        self.store = Store(THINGS)
        self.replayed: dict[Key, str | None] = {}
        self.store.subscribe(self._replay)
        self.delivered = 0
        self.watching = False
        self.begun: int | None = None
        self.snapshot: tuple[int, int, list[Unstructured]] | None = None

    def _replay(self, type_: EventType, old: Unstructured | None, new: Unstructured | None) -> None:
        obj = new or old
        assert obj is not None
        key = ("ns", obj.metadata.name)
        assert self.replayed.pop(key, None) == (old.metadata.resource_version if old else None)
        assert (old is None, new is None) == (type_ == "ADDED", type_ == "DELETED")
        if new is not None:
            assert old is None or old.metadata.uid == new.metadata.uid
            self.replayed[key] = new.metadata.resource_version

    def _record(self, type_: EventType, name: str, uid: str) -> Unstructured:
        self.version += 1
        obj = Unstructured(Meta(name, "ns", uid, str(self.version)), {})
        self.log.append((type_, obj))
        return obj

    def write(self, name: str, *, own: bool) -> None:
        current = self.truth.get(name)
        if current is None:
            self.uids += 1
        uid = current.metadata.uid if current else f"uid-{self.uids}"
        written = self._record("MODIFIED" if current else "ADDED", name, uid or "")
        self.truth[name] = written
        if own:
            self.answers.append(lambda: self.store.apply_written(written))

    def delete(self, name: str, *, own: bool) -> None:
        current = self.truth.pop(name, None)
        if current is None:
            return
        self._record("DELETED", name, current.metadata.uid or "")
        if own:
            self.answers.append(lambda: self.store.apply_deleted(current))

    def answer(self, which: int) -> None:
        if self.answers:
            self.answers.pop(which % len(self.answers))()

    def deliver(self, count: int) -> None:
        if not self.watching:
            return
        for type_, obj in self.log[self.delivered : self.delivered + count]:
            meta = obj.metadata
            if type_ == "DELETED":
                self.store.observe_deleted(("ns", meta.name), meta.uid or "", meta.resource_version)
            else:
                self.store.observe(obj)
            self.delivered += 1
        if self.delivered == len(self.log):
            self.store.advance(str(self.version))

    def list_step(self) -> None:
        """A list goes on by one step: asked for, read by the server, arrived."""
        self.watching = False
        if self.begun is None:
            self.begun = self.store.begin_list()
        elif self.snapshot is None:
            self.snapshot = (self.version, len(self.log), list(self.truth.values()))
        else:
            version, position, items = self.snapshot
            self.store.replace(items, str(version), self.begun)
            self.delivered, self.watching = position, True
            self.begun = self.snapshot = None

    def settle(self) -> None:
        while not self.watching:
            self.list_step()
        self.deliver(len(self.log))


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.sampled_from(NAMES), st.booleans()),
        st.tuples(st.just("delete"), st.sampled_from(NAMES), st.booleans()),
        st.tuples(st.just("answer"), st.integers(0, 5), st.none()),
        st.tuples(st.just("deliver"), st.integers(1, 4), st.none()),
        st.tuples(st.just("list"), st.none(), st.none()),
    ),
    max_size=60,
)


@settings(max_examples=500, deadline=None)
@given(STEPS, st.booleans())
def test_store_converges_however_answers_lists_and_events_interleave(
    steps: list[tuple[str, Any, Any]], answers_last: bool
) -> None:
    world = World()
    for step, subject, own in steps:
        if step == "write":
            world.write(subject, own=own)
        elif step == "delete":
            world.delete(subject, own=own)
        elif step == "answer":
            world.answer(subject)
        elif step == "deliver":
            world.deliver(subject)
        else:
            world.list_step()
    if not answers_last:
        while world.answers:
            world.answer(0)
    world.settle()
    while world.answers:
        world.answer(0)
    expected = {("ns", name): obj.metadata.resource_version for name, obj in world.truth.items()}
    assert {("ns", obj.metadata.name): obj.metadata.resource_version for obj in world.store} == expected
    assert world.replayed == expected
    assert {obj.metadata.uid for obj in world.store} == {obj.metadata.uid for obj in world.truth.values()}


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_what_was_answered_is_read(steps: list[tuple[str, Any, Any]]) -> None:
    """Read your writes: no late event and no list from before takes back what was answered."""
    world = World()
    world.settle()
    for step, subject, _ in steps:
        if step == "write":
            world.write(subject, own=True)
            world.answer(len(world.answers) - 1)
            cached, truth = world.store.get(subject, "ns"), world.truth[subject]
            assert cached is not None
            assert cached.metadata == truth.metadata
        elif step == "delete" and subject in world.truth:
            world.delete(subject, own=True)
            world.answer(len(world.answers) - 1)
            assert world.store.get(subject, "ns") is None
        elif step == "deliver":
            world.deliver(subject)
        elif step == "list":
            world.list_step()
        assert {obj.metadata.name: obj.metadata for obj in world.store} == {
            name: obj.metadata for name, obj in world.truth.items()
        }


def recreate(api: ScriptedApi, name: str) -> None:
    remove(api, name)
    api.put("things", name)


def remove(api: ScriptedApi, name: str) -> None:
    if ("default", name) in api.versions("things"):
        api.remove("things", name)


def cut_in_a_line(api: ScriptedApi, _: str) -> None:
    api.send(b'{"type":"ADDED","obj')
    api.cut()


def compact_and_cut(api: ScriptedApi, _: str) -> None:
    api.compact()
    api.cut()


ACTIONS: dict[str, Callable[[ScriptedApi, str], object]] = {
    "put": lambda api, name: api.put("things", name),
    "remove": remove,
    "recreate": recreate,
    "other kind": lambda api, name: api.put("others", name),
    "bookmark": lambda api, name: api.bookmark(),
    "cut": lambda api, name: api.cut(),
    "cut in a line": cut_in_a_line,
    "end": lambda api, name: api.end(),
    "compact": lambda api, name: api.compact(),
    "compact and cut": compact_and_cut,
    "gone event": lambda api, name: api.send(error_event(410, reason="Expired")),
    "error event": lambda api, name: api.send(error_event(500)),
    "garbage": lambda api, name: api.send(b"garbage\n"),
    "list fails": lambda api, name: api.fail("list", Fault(503)),
    "watch fails": lambda api, name: api.fail("watch", Fault(500)),
    "watch is throttled": lambda api, name: api.fail("watch", Fault(429, retry_after=1)),
    "watch is gone": lambda api, name: api.fail("watch", Fault(410, reason="Expired")),
    "answer is lost": lambda api, name: api.fail("list", Fault(200, drop=True)),
}
SCRIPT = st.lists(
    st.tuples(
        st.sampled_from([*sorted(ACTIONS), "own write", "own delete"]), st.sampled_from(NAMES), st.integers(0, 6)
    ),
    max_size=25,
)


@settings(max_examples=80, deadline=None)
@given(SCRIPT)
def test_reflector_converges_through_any_script(script: list[tuple[str, str, int]]) -> None:
    asyncio.run(asyncio.wait_for(play(script), 60))


async def play(script: list[tuple[str, str, int]]) -> None:
    clock = ManualClock()
    async with (
        ScriptedApi().serve() as api,
        KubeClient(Endpoint(api.url), ApiClock(clock), sleep=clock.sleep) as client,
        running(api, client, clock, page_size=2) as rig,
    ):
        writer = Writer(client, THINGS, rig.store)
        for action, name, yields in script:
            if action == "own write":
                await own_write(writer, rig.store, name)
            elif action == "own delete":
                cached = rig.store.get(name, "default")
                if cached is not None:
                    await ignoring_refusal(writer.delete(cached))
            else:
                ACTIONS[action](api, name)
            for _ in range(yields):
                await asyncio.sleep(0)
        api.heal()
        api.put("things", "last")
        await rig.agree()


async def own_write(writer: Writer[Unstructured], store: Store[Unstructured], name: str) -> None:
    cached = store.get(name, "default")
    if cached is None:
        await ignoring_refusal(writer.create({"metadata": {"name": name}}, "default"))
    else:
        version = cached.metadata.resource_version
        await ignoring_refusal(writer.patch(cached, {"spec": {"seen": version}}, guarded=True))


async def ignoring_refusal(write: Any) -> None:
    # The cache lagged behind: a refusal is the right answer, and no harm to it.
    with contextlib.suppress(Conflict, AlreadyExists, NotFound):
        await write
