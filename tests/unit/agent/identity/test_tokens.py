"""What is asked of the API for a token, and what its answer must have."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from anka_agent.identity.tokens import (
    ACCOUNT_UID,
    LOOK_SECONDS,
    OWN_REQUEST,
    TokenRenewal,
    is_due,
    read_claims,
    request_token,
)
from anka_kube.client import KubeClient
from anka_kube.endpoint import Endpoint
from anka_kube.errors import ApiError, Unparsable, Unreachable
from anka_kube.resource import Resource
from support.jwt import raw_token, service_account_token
from support.manual_clock import ManualClock

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_bound_token() -> None:
    found = read_claims(service_account_token(issued=NOW, life=timedelta(hours=1)) + "\n")
    assert (found.namespace, found.account) == ("anka-nodes", "node-mac-1")
    assert (found.issued, found.expires) == (NOW, NOW + timedelta(hours=1))
    assert not found.is_expired(NOW + timedelta(minutes=59))
    assert found.is_expired(NOW + timedelta(hours=1))


def test_one_that_does_not_expire() -> None:
    found = read_claims(service_account_token(issued=None, life=None))
    assert (found.issued, found.expires) == (None, None)
    assert not found.is_expired(NOW)


@pytest.mark.parametrize(
    ("token", "says"),
    [
        ("", "it has three parts"),
        ("abc", "it has three parts"),
        ("a.b.c", "its middle part is not JSON"),
        ("a.b.c.d", "it has three parts"),
        (raw_token([1]), "its middle part is not JSON with a subject"),
        (raw_token({"iss": "x"}), "with a subject"),
        (raw_token({"sub": "system:serviceaccount:ns:a", "exp": "soon"}), "its middle part"),
        (raw_token({"sub": "alice"}), "not a token of a ServiceAccount, but of 'alice'"),
        (raw_token({"sub": "system:serviceaccount:ns"}), "not a token of a ServiceAccount"),
    ],
)
def test_what_is_no_such_token(token: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_claims(token)


class AnswerApi(KubeClient):
    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__(Endpoint("http://api"))
        self.answer = answer
        self.asked: list[tuple[str, str, str, str | None]] = []
        self.body: Mapping[str, Any] = {}

    async def create_subresource(
        self,
        resource: Resource[Any],
        name: str,
        subresource: str,
        body: Mapping[str, Any],
        namespace: str | None = None,
        *,
        deadline: float = 15.0,
    ) -> dict[str, Any]:
        self.asked.append((resource.kind, name, subresource, namespace))
        self.body = body
        return self.answer


@pytest.mark.parametrize(
    ("uid", "metadata"),
    [(None, {"labels": {OWN_REQUEST: "true"}}), ("u1", {"annotations": {ACCOUNT_UID: "u1"}})],
)
async def test_a_token(uid: str | None, metadata: dict[str, Any]) -> None:
    api = AnswerApi({"status": {"token": "abc"}})
    assert await request_token(api, "anka-nodes", "node-mac-1", 3600, account_uid=uid) == "abc"
    assert api.asked == [("ServiceAccount", "node-mac-1", "token", "anka-nodes")]
    assert (api.body["spec"], api.body.get("metadata")) == ({"expirationSeconds": 3600}, metadata)


@pytest.mark.parametrize("answer", [{}, {"status": None}, {"status": {}}, {"status": {"token": ""}}])
async def test_an_answer_without_one(answer: dict[str, Any]) -> None:
    with pytest.raises(Unparsable, match="the answer has no token"):
        await request_token(AnswerApi(answer), "anka-nodes", "node-mac-1", 3600)


HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("life", "age", "renew"),
    [
        (HOUR, 0.79 * HOUR, False),
        (HOUR, 0.8 * HOUR, True),
        (HOUR, 2 * HOUR, True),
        (7 * DAY, 0.99 * DAY, False),
        (7 * DAY, DAY, True),
        (None, 99 * DAY, False),
    ],
)
def test_when_it_is_due(life: timedelta | None, age: timedelta, renew: bool) -> None:
    assert is_due(read_claims(service_account_token(issued=NOW, life=life)), NOW + age) is renew


class Api(KubeClient):
    """Gives tokens of an hour, or fails."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(Endpoint("http://api"))
        self.clock = clock
        self.asked: list[tuple[str | None, str, int]] = []
        self.fails: ApiError | None = None

    async def create_subresource(
        self,
        resource: Resource[Any],
        name: str,
        subresource: str,
        body: Mapping[str, Any],
        namespace: str | None = None,
        *,
        deadline: float = 15.0,
    ) -> dict[str, Any]:
        assert subresource == "token"
        self.asked.append((namespace, name, body["spec"]["expirationSeconds"]))
        if self.fails is not None:
            raise self.fails
        return {"status": {"token": service_account_token(name, issued=self.clock.now(), life=HOUR)}}


class Rig:
    def __init__(self, file: Path) -> None:
        self.clock = ManualClock(NOW)
        self.api = Api(self.clock)
        self.file = file
        self.naps_left = 0
        self.after: Callable[[], None] = lambda: None
        self.renewal = TokenRenewal(self.api, file, seconds=3600, clock=self.clock, sleep=self.sleep)

    async def sleep(self, seconds: float) -> None:
        assert seconds == LOOK_SECONDS
        self.after()
        if not self.naps_left:
            raise asyncio.CancelledError
        self.naps_left -= 1
        self.clock.advance(seconds)

    async def run(self, naps: int) -> None:
        """Until it has slept so often."""
        self.naps_left = naps
        with pytest.raises(asyncio.CancelledError):
            await self.renewal.run()


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    file = tmp_path / "token"
    file.write_text(service_account_token(issued=NOW, life=HOUR))
    return Rig(file)


async def test_at_the_start_and_at_four_fifths_of_its_life(rig: Rig) -> None:
    before = rig.file.read_text()
    await rig.run(0)
    assert rig.api.asked == [("anka-nodes", "node-mac-1", 3600)]
    assert stat.S_IMODE(rig.file.stat().st_mode) == 0o600
    rig.api.asked.clear()
    await rig.run(100)
    # Again at its start; then at minute 48 and 96.
    assert len(rig.api.asked) == 3
    assert rig.file.read_text() != before
    assert rig.renewal.problem is None


async def test_a_failure_is_told_and_tried_again(rig: Rig) -> None:
    old = rig.file.read_text()
    rig.api.fails = Unreachable("connection refused", sent=False, action="create")
    await rig.run(3)
    assert rig.renewal.problem == "create: Unreachable: connection refused"
    assert len(rig.api.asked) == 4
    assert rig.file.read_text() == old
    rig.api.fails = None
    await rig.run(0)
    assert rig.renewal.problem is None
    assert rig.file.read_text() != old


async def test_a_file_that_somebody_replaces_is_taken_up(rig: Rig) -> None:
    """What to do about an expired token: put a new one there."""
    rig.file.write_text("rubbish")
    told: list[str | None] = []

    def repaired() -> None:
        told.append(rig.renewal.problem)
        rig.file.write_text(service_account_token(issued=rig.clock.now(), life=HOUR))

    rig.after = repaired
    await rig.run(1)
    assert told[0] is not None
    assert "not a ServiceAccount token" in told[0]
    assert told[1] is None
