"""The reflector against every way an API fails."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from anka_kube.api_clock import ApiClock
from anka_kube.client import KubeClient
from anka_kube.credentials import TokenFile
from anka_kube.endpoint import Endpoint
from anka_kube.pacing import TurnWindow
from anka_kube.reflector import Reflector
from anka_kube.resource import Selection
from anka_kube.store import Store
from support.manual_clock import ManualClock
from support.reflector_rig import THINGS, Rig, running
from support.scripted_api import Fault, ScriptedApi, error_event


@pytest.fixture
async def rig(api: ScriptedApi, client: KubeClient, clock: ManualClock) -> AsyncIterator[Rig]:
    """Three objects, listed and watched."""
    for name in "abc":
        api.put("things", name)
    async with running(api, client, clock) as started:
        await started.reflector.synced.wait()
        await api.watched()
        started.events.clear()
        yield started


class TestTheOrdinaryCourse:
    async def test_list_then_watch_from_there(self, api: ScriptedApi, rig: Rig) -> None:
        watch = next(seen for seen in api.seen if seen.verb == "watch")
        assert watch.query["resourceVersion"] == "103"
        assert watch.query["allowWatchBookmarks"] == "true"
        assert 240 <= int(watch.query["timeoutSeconds"]) <= 360
        api.put("things", "d")
        api.put("things", "a", spec={"size": 2})
        api.remove("things", "b")
        await rig.agree()
        assert rig.reflector.connected
        assert rig.events == [("ADDED", "d", "uid-4"), ("MODIFIED", "a", "uid-1"), ("DELETED", "b", "uid-2")]

    async def test_pages_selectors_and_namespace_are_sent(
        self, api: ScriptedApi, client: KubeClient, clock: ManualClock
    ) -> None:
        for number in range(5):
            api.put("things", f"t{number}")
        api.put("things", "elsewhere", "other")
        selection = Selection("default", label_selector="l=1", field_selector="f=2")
        async with running(api, client, clock, selection=selection, page_size=2) as rig:
            await rig.reflector.synced.wait()
            await api.watched()
            assert len(rig.store) == 5
        assert api.count("list") == 3
        assert {seen.path for seen in api.seen} == {"/apis/example.com/v1/namespaces/default/things"}
        assert all(seen.query["labelSelector"] == "l=1" and seen.query["fieldSelector"] == "f=2" for seen in api.seen)

    async def test_a_bookmark_moves_the_place_to_resume(self, api: ScriptedApi, rig: Rig, clock: ManualClock) -> None:
        api.put("others", "x")
        clock.advance(50)
        assert rig.reflector.last_event_age == 50
        api.bookmark()
        api.end()
        await rig.until(lambda: api.count("watch") == 2)
        assert rig.reflector.last_event_age == 0
        assert api.seen[-1].query["resourceVersion"] == "104"

    async def test_a_stream_that_ends_in_time_is_reopened_at_once(
        self, api: ScriptedApi, rig: Rig, clock: ManualClock
    ) -> None:
        api.put("things", "d")
        api.end()
        await rig.until(lambda: api.count("watch") == 2)
        assert clock.naps == []
        assert api.count("list") == 1

    async def test_streams_that_end_at_once_do_not_make_it_spin(
        self, api: ScriptedApi, rig: Rig, clock: ManualClock
    ) -> None:
        for number in range(2, 6):
            api.end()
            await rig.until(lambda wanted=number: api.count("watch") == wanted)  # type: ignore[misc]
            await api.watched()
        assert len(clock.naps) == 4
        assert clock.naps == sorted(clock.naps)
        assert clock.naps[-1] > 1

    async def test_age_before_anything_was_heard_is_infinite(self, client: KubeClient) -> None:
        assert Reflector(client, Store(THINGS)).last_event_age == float("inf")


class TestGaps:
    @pytest.mark.parametrize("partial", [b"", b'{"type":"ADDED","object":{"metad'])
    async def test_a_cut_stream_is_resumed_where_it_was(self, api: ScriptedApi, rig: Rig, partial: bytes) -> None:
        api.put("things", "d")
        if partial:
            api.send(partial)
        await rig.agree()
        api.cut()
        await rig.until(lambda: api.open_streams == 0)
        api.put("things", "e")
        api.remove("things", "a")
        await rig.agree()
        assert [event[:2] for event in rig.events] == [("ADDED", "d"), ("ADDED", "e"), ("DELETED", "a")]
        assert api.count("list") == 1

    async def test_a_half_open_connection_is_given_up(
        self, api: ScriptedApi, client: KubeClient, clock: ManualClock
    ) -> None:
        async with running(api, client, clock, inactivity_seconds=0.1) as rig:
            await api.watched()
            api.stall()
            api.put("things", "a")
            await rig.agree()
            assert api.count("watch") >= 2
            assert api.count("list") == 1

    async def test_gone_in_the_stream_lists_again_and_tells_what_was_lost(self, api: ScriptedApi, rig: Rig) -> None:
        api.stall()
        api.remove("things", "b")
        api.put("things", "d")
        api.put("things", "c", spec={"size": 9})
        api.compact()
        api.cut()
        await rig.agree()
        assert rig.events == [("DELETED", "b", "uid-2"), ("MODIFIED", "c", "uid-3"), ("ADDED", "d", "uid-4")]
        assert api.count("list") == 2

    async def test_gone_as_an_event_lists_again(self, api: ScriptedApi, rig: Rig) -> None:
        api.send(error_event(410, "too old resource version", "Expired"))
        await rig.until(lambda: api.count("list") == 2)
        await rig.agree()
        assert rig.events == []

    async def test_gone_for_ever_does_not_make_it_spin(self, api: ScriptedApi, rig: Rig, clock: ManualClock) -> None:
        api.fail("watch", Fault(410, reason="Expired"), times=6)
        api.cut()
        await rig.until(lambda: api.faults_left == 0)
        await api.watched()
        assert api.count("list") == 7
        assert len(clock.naps) >= 5

    async def test_recreated_in_the_gap_is_a_deletion_and_an_addition(self, api: ScriptedApi, rig: Rig) -> None:
        api.stall()
        api.remove("things", "a")
        api.put("things", "a")
        api.compact()
        api.cut()
        await rig.agree()
        assert rig.events == [("DELETED", "a", "uid-1"), ("ADDED", "a", "uid-4")]

    async def test_recreated_while_watched_likewise(self, api: ScriptedApi, rig: Rig) -> None:
        api.remove("things", "a")
        api.put("things", "a")
        await rig.agree()
        assert rig.events == [("DELETED", "a", "uid-1"), ("ADDED", "a", "uid-4")]

    async def test_pages_without_end_are_given_up(
        self, api: ScriptedApi, client: KubeClient, clock: ManualClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        api.put("things", "a")
        page = Fault(200, body=json.dumps({"metadata": {"continue": "and/so/on"}, "items": []}).encode())
        api.fail("list", page, times=30)
        api.listeners.append(lambda: clock.advance(21.0))
        async with running(api, client, clock) as rig:
            await rig.agree()
        assert "not all pages came within 600 s; trying again until it works" in caplog.text

    async def test_a_page_that_expired_makes_the_next_list_whole(
        self, api: ScriptedApi, client: KubeClient, clock: ManualClock
    ) -> None:
        for number in range(5):
            api.put("things", f"t{number}")
        page = Fault(200, body=json.dumps({"metadata": {"continue": "void/2"}, "items": []}).encode())
        api.fail("list", page)
        async with running(api, client, clock, page_size=2) as rig:
            await rig.agree()
        assert [seen.query.get("limit") for seen in api.seen if seen.verb == "list"] == ["2", "2", None]


class TestTrouble:
    @pytest.mark.parametrize("verb", ["list", "watch"])
    @pytest.mark.parametrize("status", [500, 502, 503, 504, 403, 400])
    async def test_any_status_is_outlived(
        self, api: ScriptedApi, client: KubeClient, clock: ManualClock, verb: str, status: int
    ) -> None:
        api.put("things", "a")
        api.fail(verb, Fault(status), times=3)
        async with running(api, client, clock) as rig:
            await rig.agree()
            await api.watched()
            assert len(clock.naps) == 3

    async def test_a_storm_longer_than_any_finite_backoff(
        self, api: ScriptedApi, rig: Rig, clock: ManualClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        api.fail("watch", Fault(503), times=150)
        with caplog.at_level(logging.INFO):
            api.cut()
            await rig.until(lambda: api.faults_left == 0)
            api.remove("things", "a")
            await rig.agree()
            await api.watched()
        assert sum(clock.naps) > 400
        assert max(clock.naps) <= 5
        warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
        assert len(warnings) == 2, "the cut, and the storm once"
        assert "the API answers again" in caplog.text
        assert api.count("list") == 1, "a storm is no reason to list"

    async def test_after_a_storm_the_next_trouble_starts_with_short_waits_again(
        self, api: ScriptedApi, rig: Rig, clock: ManualClock
    ) -> None:
        api.fail("watch", Fault(503), times=20)
        api.cut()
        await rig.until(lambda: api.faults_left == 0)
        api.put("things", "d")
        await rig.agree()
        before = len(clock.naps)
        api.cut()
        await rig.until(lambda: len(clock.naps) > before and api.open_streams == 1)
        assert clock.naps[before] < 0.2

    @pytest.mark.parametrize("verb", ["list", "watch"])
    async def test_retry_after_is_honoured(
        self, api: ScriptedApi, client: KubeClient, clock: ManualClock, verb: str
    ) -> None:
        api.fail(verb, Fault(429, retry_after=17))
        async with running(api, client, clock):
            await api.watched()
        assert len(clock.naps) == 1
        assert clock.naps[0] >= 17

    @pytest.mark.parametrize(
        "line", [b"garbage\n", b"[]\n", b'{"type":"ADDED"}\n', b'{"type":"ADDED","object":{"metadata":{}}}\n', b"7\n"]
    )
    async def test_garbage_ends_the_stream_not_the_loop(self, api: ScriptedApi, rig: Rig, line: bytes) -> None:
        api.send(line)
        await rig.until(lambda: api.count("watch") == 2)
        api.put("things", "d")
        await rig.agree()
        assert api.count("list") == 1

    async def test_an_error_event_ends_the_stream_not_the_loop(
        self, api: ScriptedApi, rig: Rig, clock: ManualClock
    ) -> None:
        api.send(error_event(500, "etcd is unwell"))
        await rig.until(lambda: api.count("watch") == 2)
        api.put("things", "d")
        await rig.agree()
        assert api.count("list") == 1
        assert len(clock.naps) == 1

    async def test_an_error_that_resuming_always_meets_ends_in_a_list(self, api: ScriptedApi, rig: Rig) -> None:
        for number in (1, 2, 3):
            await rig.until(lambda wanted=number: api.count("watch") == wanted and api.open_streams == 1)  # type: ignore[misc]
            api.send(error_event(500))
        await rig.until(lambda: api.count("list") == 2)
        await rig.agree()

    async def test_a_line_without_end_is_given_up(self, api: ScriptedApi, rig: Rig) -> None:
        api.send(b"x" * 9_000_000)
        await rig.until(lambda: api.count("watch") == 2)
        api.put("things", "d")
        await rig.agree()

    async def test_an_unknown_event_type_is_skipped(self, api: ScriptedApi, rig: Rig) -> None:
        api.send(b'{"type":"SURPRISE","object":{"metadata":{"resourceVersion":"104"}}}\n')
        api.put("others", "x")
        api.put("things", "d")
        await rig.agree()
        assert api.count("watch") == 1

    async def test_a_kind_that_is_not_installed_yet(
        self, api: ScriptedApi, client: KubeClient, clock: ManualClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        api.missing.add("things")
        with caplog.at_level(logging.INFO):
            async with running(api, client, clock) as rig:
                await rig.until(lambda: api.count("list") > 5)
                assert not rig.reflector.synced.is_set()
                api.missing.clear()
                api.put("things", "a")
                await rig.agree()
        told = [record.message for record in caplog.records if "not served" in record.message]
        assert told == [
            "things.example.com is not served by this API (CRD not installed yet?); trying again until it works"
        ]

    async def test_a_rotated_token(self, api: ScriptedApi, clock: ManualClock, tmp_path: Path) -> None:
        file = tmp_path / "token"
        file.write_text("one")
        api.token = "one"
        api.put("things", "a")
        async with (
            KubeClient(Endpoint(api.url, TokenFile(file, clock)), ApiClock(clock), sleep=clock.sleep) as client,
            running(api, client, clock) as rig,
        ):
            await rig.agree()
            await api.watched()
            api.token = "two"
            api.cut()
            await rig.until(lambda: len(clock.naps) > 5)
            api.put("things", "b")
            file.write_text("two")
            await rig.agree()
        assert api.count("list") == 1

    async def test_a_server_that_is_away_and_comes_back(
        self, api: ScriptedApi, client: KubeClient, clock: ManualClock
    ) -> None:
        api.fail("list", Fault(200, drop=True), times=3)
        api.put("things", "a")
        async with running(api, client, clock) as rig:
            await rig.agree()


class TestObjects:
    async def test_of_900_kilobytes(self, api: ScriptedApi, rig: Rig) -> None:
        api.put("things", "big", data="x" * 900_000)
        await rig.agree()
        big = rig.store.get("big", "default")
        assert big is not None
        assert len(big.raw["data"]) == 900_000

    async def test_one_that_cannot_be_parsed_is_skipped_once_and_loudly(
        self, api: ScriptedApi, rig: Rig, caplog: pytest.LogCaptureFixture
    ) -> None:
        bad = api.put("things", "bad", spec="unparsable")
        api.put("things", "good")
        await rig.until(lambda: rig.store.get("good", "default") is not None)
        api.compact()
        api.cut()
        await rig.until(lambda: api.count("list") == 2 and api.open_streams == 1)
        told = [record.message for record in caplog.records if "skipped" in record.message]
        version = bad["metadata"]["resourceVersion"]
        assert told == [f"skipped things.example.com default/bad at resourceVersion {version}: spec: not a mapping"]
        api.remove("things", "bad")
        await rig.agree()

    async def test_one_that_becomes_unparsable_keeps_what_we_had_until_it_is_deleted(
        self, api: ScriptedApi, rig: Rig
    ) -> None:
        api.put("things", "a", spec="unparsable")
        api.put("things", "d")
        await rig.until(lambda: rig.store.get("d", "default") is not None)
        api.compact()
        api.cut()
        await rig.until(lambda: api.count("list") == 2 and api.open_streams == 1)
        assert rig.store.get("a", "default") is not None
        api.remove("things", "a")
        await rig.agree()
        assert ("DELETED", "a", "uid-1") in rig.events


class TestOneOfMany:
    """A reflector with `spread`: its streams begin with all objects, and it waits for its turn."""

    @pytest.fixture
    async def rig(self, api: ScriptedApi, client: KubeClient, clock: ManualClock) -> AsyncIterator[Rig]:
        for name in "abc":
            api.put("things", name)
        spread = TurnWindow(lambda: 40.0, prompt=True)
        async with running(api, client, clock, spread=spread, chance=lambda: 0.25) as started:
            await started.reflector.synced.wait()
            await api.watched()
            started.events.clear()
            yield started

    async def test_its_first_list_is_a_stream_and_not_delayed(
        self, api: ScriptedApi, rig: Rig, clock: ManualClock
    ) -> None:
        (asked,) = api.seen
        assert asked.query["sendInitialEvents"] == "true"
        assert asked.query["resourceVersionMatch"] == "NotOlderThan"
        assert "resourceVersion" not in asked.query
        assert clock.naps == []
        assert len(rig.store) == 3
        assert rig.reflector.connected
        api.put("things", "d")
        await rig.agree()
        assert rig.events == [("ADDED", "d", "uid-4")]

    async def test_after_a_cut_it_waits_for_its_turn_and_tells_what_was_lost(
        self, api: ScriptedApi, rig: Rig, clock: ManualClock
    ) -> None:
        api.swallowing = True
        api.remove("things", "b")
        api.put("things", "d")
        api.swallowing = False
        api.fail("watch", Fault(503), times=2)
        api.cut()
        await rig.agree()
        assert clock.naps == [10.0, 40.0, 40.0], "its moment in the first window, then one request in each"
        assert sorted(rig.events) == [("ADDED", "d", "uid-4"), ("DELETED", "b", "uid-2")]
        assert api.count("list") == 0
        assert all("sendInitialEvents" in seen.query for seen in api.seen)

    async def test_while_it_waits_it_is_not_connected_and_the_store_serves(
        self, api: ScriptedApi, rig: Rig, clock: ManualClock
    ) -> None:
        waits, goes_on = asyncio.Event(), asyncio.Event()

        async def wait(seconds: float) -> None:
            waits.set()
            await goes_on.wait()

        rig.reflector.sleep = wait
        api.cut()
        await waits.wait()
        assert not rig.reflector.connected
        assert len(rig.store) == 3
        api.put("things", "d")
        goes_on.set()
        await rig.agree()
        assert rig.reflector.connected

    async def test_a_stream_that_the_server_ends_early_is_resumed_at_once(
        self, api: ScriptedApi, rig: Rig, clock: ManualClock
    ) -> None:
        clock.advance(10)
        api.end()
        await rig.until(lambda: api.count("watch") == 2)
        await api.watched()
        assert clock.naps == []
        assert api.seen[-1].query["resourceVersion"] == "103"

    async def test_one_that_is_too_old_then_waits_for_its_turn(
        self, api: ScriptedApi, rig: Rig, clock: ManualClock
    ) -> None:
        clock.advance(10)
        api.compact()
        api.end()
        await rig.until(lambda: api.count("watch") == 3)
        await api.watched()
        assert clock.naps == [10.0]

    async def test_one_that_is_refused_while_the_kind_changes_starts_anew_in_its_turn(
        self, api: ScriptedApi, rig: Rig, clock: ManualClock
    ) -> None:
        clock.advance(10)
        api.fail("watch", Fault(429, "storage is (re)initializing", "TooManyRequests", retry_after=1))
        api.end()
        await rig.until(lambda: api.count("watch") == 3)
        await api.watched()
        assert clock.naps == [11.0]
        assert ["sendInitialEvents" in seen.query for seen in api.seen] == [True, False, True]

    async def test_a_patient_one_waits_at_once(self, api: ScriptedApi, client: KubeClient, clock: ManualClock) -> None:
        options = {"spread": TurnWindow(lambda: 40.0), "chance": lambda: 0.25, "server_timeout_seconds": 100.0}
        async with running(api, client, clock, **options) as rig:
            await api.watched()
            assert api.seen[-1].query["timeoutSeconds"] == "90"
            for lasted, naps in ((20, [10.0]), (89, [10.0])):
                await rig.reflector.synced.wait()
                clock.advance(lasted)
                watches = api.count("watch")
                api.end()
                await rig.until(lambda more=watches + 1: api.count("watch") == more)  # type: ignore[misc]
                await api.watched()
                assert clock.naps == naps, "its time was over: that is no trouble"

    async def test_an_api_without_such_streams_is_listed_in_one_page(
        self, api: ScriptedApi, client: KubeClient, clock: ManualClock
    ) -> None:
        api.streams_lists = False
        for number in range(7):
            api.put("things", f"t{number}")
        async with running(api, client, clock, spread=TurnWindow(lambda: 40.0), page_size=2) as rig:
            await rig.agree()
            await api.watched()
            api.cut()
            api.put("things", "more")
            await rig.agree()
        assert [seen.query.get("limit") for seen in api.seen if seen.verb == "list"] == [None, None]
        assert sum("sendInitialEvents" in seen.query for seen in api.seen) == 1, "asked once"
        assert len(clock.naps) == 1

    async def test_initial_events_without_end_are_given_up(
        self, api: ScriptedApi, client: KubeClient, clock: ManualClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        api.put("things", "a")
        endless = json.dumps({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "7"}}}).encode() + b"\n"
        api.fail("watch", Fault(200, body=endless))
        api.listeners.append(lambda: clock.advance(61.0))
        async with running(api, client, clock, spread=TurnWindow(lambda: 40.0)) as rig:
            await rig.until(lambda: api.count("watch") == 2)
            assert "not all objects came within 60 s; trying again until it works" in caplog.text

    async def test_an_unparsable_one_keeps_what_we_had(self, api: ScriptedApi, rig: Rig) -> None:
        api.swallowing = True
        api.put("things", "a", spec="unparsable")
        api.put("things", "d")
        api.swallowing = False
        api.cut()
        await rig.until(lambda: rig.store.get("d", "default") is not None)
        assert rig.store.get("a", "default") is not None
        assert rig.events == [("ADDED", "d", "uid-4")]


class TestCallers:
    async def test_a_callback_that_raises_stops_nothing(
        self, api: ScriptedApi, client: KubeClient, clock: ManualClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        def broken(*_: object) -> None:
            raise RuntimeError("bug in a callback")

        async with running(api, client, clock) as rig:
            rig.store.subscribe(broken)
            await api.watched()
            api.put("things", "a")
            await rig.agree()
            assert api.count("watch") == 1
        assert "bug in a callback" in caplog.text

    async def test_own_write_is_read_at_once_and_told_once(
        self, api: ScriptedApi, rig: Rig, client: KubeClient
    ) -> None:
        """Its event need not be parsed: what it would say is known."""
        written = await client.patch(THINGS, "a", {"spec": {"size": 5}}, "default")
        rig.store.apply_written(written)
        assert rig.store.get("a", "default") is not None
        api.put("things", "d")
        await rig.agree()
        assert rig.events == [("MODIFIED", "a", "uid-1"), ("ADDED", "d", "uid-4")]

    async def test_leaving_the_context_ends_it(self, api: ScriptedApi, client: KubeClient, clock: ManualClock) -> None:
        async with running(api, client, clock) as rig:
            api.put("things", "a")
            await api.watched()
            api.put("things", "b")
            await rig.agree()
            assert rig.reflector.connected
        assert not rig.reflector.connected
        requests = len(api.seen)
        api.cut()
        await rig.until(lambda: api.open_streams == 0)
        assert len(api.seen) == requests


class TestGathering:
    """A reflector with `gather_seconds`: events that come together are read together."""

    async def test_each_read_is_followed_by_a_pause(
        self, api: ScriptedApi, client: KubeClient, clock: ManualClock
    ) -> None:
        async with running(api, client, clock, gather_seconds=0.1) as rig:
            await api.watched()
            assert clock.naps == []
            for name in "ab":
                api.put("things", name)
                await rig.agree()
            assert clock.naps == [0.1, 0.1]

    async def test_the_objects_that_a_stream_begins_with_are_read_at_once(
        self, api: ScriptedApi, client: KubeClient, clock: ManualClock
    ) -> None:
        api.put("things", "a")
        spread = TurnWindow(lambda: 40.0, prompt=True)
        async with running(api, client, clock, spread=spread, gather_seconds=0.1) as rig:
            await rig.reflector.synced.wait()
            assert clock.naps == []
