"""Values from Secrets: read once the right is there, and each thing that is wrong said in its own words."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from anka_agent.instances.secrets import NotAllowed, SecretError, read, read_when_allowed
from anka_crds.api.vm_options import SecretKey
from anka_crds.kube.client import KubeClient
from anka_crds.kube.config import Endpoint
from anka_crds.kube.errors import ApiError
from support.manual_clock import ManualClock
from support.scripted_api import Fault, ScriptedApi

REF = SecretKey(name="scripts", key="setup")
FORBIDDEN = Fault(403, "Forbidden")


@dataclass
class Stage:
    api: ScriptedApi
    client: KubeClient
    clock: ManualClock

    def secret(self, **data: str) -> None:
        self.api.put("secrets", "scripts", "default", data=data)

    async def wait(self, seconds: float) -> bytes:
        return await read_when_allowed(
            self.client, "default", REF, seconds=seconds, clock=self.clock, sleep=self.clock.sleep
        )


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    clock = ManualClock()
    async with ScriptedApi().serve() as api, KubeClient(Endpoint(api.url), clock, sleep=clock.sleep) as client:
        yield Stage(api, client, clock)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


async def test_the_value(stage: Stage) -> None:
    stage.secret(setup=encoded("echo hi\n"), other="")
    assert await read(stage.client, "default", REF) == b"echo hi\n"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (None, "Secret default/scripts does not exist: create it, then the instance anew"),
        ({}, "Secret default/scripts has no key setup"),
        ({"Setup": "aGk="}, "Secret default/scripts has no key setup"),
        ({"setup": "%"}, "Secret default/scripts: key setup is not base64"),
    ],
)
async def test_what_waiting_does_not_change_is_said_at_once(
    stage: Stage, data: dict[str, str] | None, says: str
) -> None:
    if data is not None:
        stage.secret(**data)
    with pytest.raises(SecretError) as refused:
        await stage.wait(60)
    assert str(refused.value) == says
    assert stage.clock.naps == []


@pytest.mark.parametrize("times", [0, 1, 7])
async def test_the_right_is_waited_for(stage: Stage, times: int) -> None:
    stage.secret(setup=encoded("x"))
    stage.api.fail("get", FORBIDDEN, times=times)
    assert await stage.wait(60) == b"x"
    assert len(stage.clock.naps) == times


@pytest.mark.parametrize("seconds", [0.0, 0.5, 60.0])
async def test_but_not_for_ever(stage: Stage, seconds: float) -> None:
    stage.api.fail("get", FORBIDDEN, times=1000)
    with pytest.raises(NotAllowed) as refused:
        await stage.wait(seconds)
    stage.api.heal()
    assert seconds - 1 <= sum(stage.clock.naps) <= seconds
    assert str(refused.value).startswith("Secret default/scripts may not be read by this node: let the operator")
    assert "\n" not in str(refused.value)


async def test_trouble_with_the_api_is_no_answer(stage: Stage) -> None:
    """The worker repeats the step: what passes must not fail an instance."""
    stage.api.fail("get", Fault(500, "InternalError"), times=1000)
    with pytest.raises(ApiError):
        await stage.wait(60)
    stage.api.heal()
