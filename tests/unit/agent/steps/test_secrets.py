"""Values from Secrets: read once the right is there, and each thing that is wrong said in its own words."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from anka_agent.steps.secrets import NotThereYet, SecretError, SecretReader
from anka_crds.api.vm_options import SecretKey
from anka_kube.api_clock import ApiClock
from anka_kube.client import KubeClient
from anka_kube.endpoint import Endpoint
from anka_kube.errors import ApiError
from support.manual_clock import ManualClock
from support.objects import instance
from support.scripted_api import Fault, ScriptedApi

REF = SecretKey(name="scripts", key="setup")
OWNER = instance()
FORBIDDEN = Fault(403, "Forbidden")


@dataclass
class Stage:
    api: ScriptedApi
    client: KubeClient
    clock: ManualClock
    hidden: list[tuple[str, str, bytes]] = field(default_factory=list)

    def secret(self, **data: str) -> None:
        self.api.put("secrets", "scripts", "default", data=data)

    async def wait(self, seconds: float, ref: SecretKey = REF) -> bytes:
        reader = SecretReader(
            self.client,
            lambda *secret: self.hidden.append(secret),
            timeout=seconds,
            clock=self.clock,
            sleep=self.clock.sleep,
            chance=lambda: 1.0,
        )
        return await reader.read(OWNER, "script", ref)


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    clock = ManualClock()
    async with (
        ScriptedApi().serve() as api,
        KubeClient(Endpoint(api.url), ApiClock(clock), sleep=clock.sleep) as client,
    ):
        yield Stage(api, client, clock)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


async def test_the_value(stage: Stage) -> None:
    stage.secret(setup=encoded("echo hi\n"), other="")
    assert await stage.wait(0) == b"echo hi\n"
    assert stage.hidden == [(OWNER.metadata.uid, "script", b"echo hi\n")], "before it is used, so that no log shows it"


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
    with pytest.raises(NotThereYet) as refused:
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


async def test_a_script_that_is_stored_after_its_instances_is_waited_for(stage: Stage) -> None:
    ref = SecretKey(name="anka-script-1", key="script")
    with pytest.raises(NotThereYet, match="Secret default/anka-script-1 does not exist"):
        await stage.wait(5, ref)
    assert stage.clock.naps
    stage.api.put("secrets", "anka-script-1", "default", data={"script": encoded("x")})
    assert await stage.wait(0, ref) == b"x"
