"""The Secret with the root token: made once, kept as it is, made anew when it was deleted."""

from __future__ import annotations

import logging
from base64 import b64decode

import pytest

from anka_kube.errors import ApiError, NotLeading
from anka_operator.access_secret.controller import AccessSecretController
from anka_operator.access_secret.desired import KEYS
from anka_operator.cluster.access import AnkaCluster
from support.operator_rig import Rig
from support.scripted_api import Fault

NAMESPACE = "anka-system"


@pytest.fixture
def access(rig: Rig) -> AccessSecretController:
    return AccessSecretController(rig.cluster, rig.clock, namespace=NAMESPACE)


def tokens(rig: Rig) -> dict[str, str]:
    data = rig.api.objects["secrets"][NAMESPACE, "anka-access"]["data"]
    return {key: b64decode(text).decode() for key, text in data.items()}


async def test_made_once(rig: Rig, access: AccessSecretController) -> None:
    await access.run_once()
    made = tokens(rig)
    assert made.keys() == set(KEYS)
    assert len(set(made.values())) == 3
    assert {len(token) for token in made.values()} == {43}
    assert [seen.verb for seen in rig.writes()] == ["create"]
    await access.run_once()
    assert tokens(rig) == made
    assert len(rig.writes()) == 1


async def test_deleted_it_is_made_with_other_tokens(
    rig: Rig, access: AccessSecretController, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await access.run_once()
    before = tokens(rig)
    rig.api.remove("secrets", "anka-access", NAMESPACE)
    await access.run_once()
    after = tokens(rig)
    assert set(before.values()).isdisjoint(after.values())
    told = [record.getMessage() for record in caplog.records if record.name.startswith("anka_operator")]
    assert told == ["made the Secret with the root token of the REST API"] * 2
    everything = " ".join(str(vars(record)) for record in caplog.records)
    assert not any(token in everything for token in (*before.values(), *after.values()))


async def test_another_leader_was_first(rig: Rig, access: AccessSecretController) -> None:
    """Its answer to the look came before the other's write."""
    theirs = dict.fromkeys(KEYS, "eA==")
    rig.api.put("secrets", "anka-access", NAMESPACE, data=theirs)
    rig.api.fail("get", Fault(404, reason="NotFound"))
    await access.run_once()
    assert rig.api.objects["secrets"][NAMESPACE, "anka-access"]["data"] == theirs
    assert [seen.verb for seen in rig.writes()] == ["create"]


async def test_one_that_a_person_made_stays(
    rig: Rig, access: AccessSecretController, caplog: pytest.LogCaptureFixture
) -> None:
    rig.api.put("secrets", "anka-access", NAMESPACE, data={"root-token": "bXktb3duLXRva2Vu"})
    for _ in range(3):
        await access.run_once()
    assert rig.writes() == []
    [told] = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "has no seal-key, peer-key: delete it" in told.getMessage()


async def test_without_the_right_it_says_so_and_tries_again(rig: Rig, access: AccessSecretController) -> None:
    rig.api.fail("create", Fault(403, "secrets is forbidden", reason="Forbidden"))
    with pytest.raises(ApiError, match="forbidden"):
        await access.run_once()
    await access.run_once()
    assert tokens(rig).keys() == set(KEYS)


async def test_who_does_not_lead_makes_none(rig: Rig) -> None:
    def fence() -> None:
        raise NotLeading

    access = AccessSecretController(AnkaCluster(rig.client, fence=fence), rig.clock, namespace=NAMESPACE)
    with pytest.raises(NotLeading):
        await access.run_once()
    assert not rig.api.objects.get("secrets")
