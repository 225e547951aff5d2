"""Rights of identities of the cluster: all that a right needs, of the right namespace, known for ten seconds."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from anka_kube.client import KubeClient
from anka_kube.endpoint import Endpoint
from anka_shim.access.kubernetes.access_review import KEPT_SECONDS, AccessReviewRights
from anka_shim.access.kubernetes.principal import KubernetesPrincipal, read_principal
from anka_shim.access.kubernetes.reviewer import KubernetesReviewer
from anka_shim.failure import Failure
from anka_shim.http.rights import Right
from support.kube_identities import KubeIdentities
from support.manual_clock import ManualClock
from support.scripted_api import Fault, ScriptedApi


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def api() -> AsyncIterator[ScriptedApi]:
    async with ScriptedApi().serve() as served:
        yield served


@pytest.fixture
def known(api: ScriptedApi) -> KubeIdentities:
    found = KubeIdentities()
    found.serve(api)
    return found


@pytest.fixture
async def rights(api: ScriptedApi, clock: ManualClock) -> AsyncIterator[AccessReviewRights]:
    async with KubeClient(Endpoint(server=api.url)) as client:
        yield AccessReviewRights(
            KubernetesReviewer(client, 5), clock, namespace="anka-ci", narrowed=("anka-nodes", "anka-joining")
        )


def principal(known: KubeIdentities, name: str = "builder", namespace: str = "ci") -> KubernetesPrincipal:
    token = known.add(name, namespace=namespace)
    found = read_principal(known.review_token({"token": token, "audiences": ["anka"]}), "anka")
    assert found is not None
    return found


async def test_the_question_has_all_that_is_known_of_them(rights: AccessReviewRights, known: KubeIdentities) -> None:
    builder = principal(known)
    known.allow("builder", ("create", "ankainstances", "anka-ci"))
    assert await rights.allows(builder, Right.START_VM)
    assert not await rights.allows(builder, Right.VIEW_LOGS)
    about = {
        "user": "system:serviceaccount:ci:builder",
        "uid": "uid of builder",
        "groups": ["system:authenticated", "system:serviceaccounts", "system:serviceaccounts:ci"],
        "extra": {"example.org/pod": ["p"]},
    }
    group = {"group": "anka.veertu.com"}
    start = {**group, "resource": "ankainstances", "verb": "create", "namespace": "anka-ci"}
    logs = {**group, "resource": "ankainstances", "subresource": "log", "verb": "get"}
    assert known.access_reviews == [{**about, "resourceAttributes": asked} for asked in (start, logs)]


async def test_it_is_known_for_a_while(rights: AccessReviewRights, known: KubeIdentities, clock: ManualClock) -> None:
    builder = principal(known)
    known.allow("builder", ("list", "ankainstances", ""))
    assert await rights.allows(builder, Right.LIST_VMS)
    known.allow("builder")
    clock.advance(KEPT_SECONDS - 0.1)
    assert await rights.allows(builder, Right.LIST_VMS)
    clock.advance(0.1)
    assert not await rights.allows(builder, Right.LIST_VMS)
    assert len(known.access_reviews) == 2


async def test_all_that_a_right_needs(rights: AccessReviewRights, known: KubeIdentities, clock: ManualClock) -> None:
    """Who may not push by kubectl may not push by REST either."""
    builder = principal(known)
    both = ("create", "saveimages", ""), ("push", "ankatemplates", "")
    for held in ((), both[:1], both[1:]):
        known.allow("builder", *held)
        assert not await rights.allows(builder, Right.SAVE_IMAGE)
        clock.advance(KEPT_SECONDS)
    known.allow("builder", *both)
    assert await rights.allows(builder, Right.SAVE_IMAGE)


async def test_one_is_not_taken_for_another(rights: AccessReviewRights, known: KubeIdentities) -> None:
    one, other = principal(known, "one"), principal(known, "other")
    known.allow("one", ("list", "ankainstances", ""))
    assert await rights.allows(one, Right.LIST_VMS)
    assert not await rights.allows(other, Right.LIST_VMS)


@pytest.mark.parametrize("namespace", ["anka-nodes", "anka-joining"])
async def test_a_mac_has_no_right(rights: AccessReviewRights, known: KubeIdentities, namespace: str) -> None:
    """It may delete AnkaNodes, and a policy says which: the shim's own request would pass it."""
    mac = principal(known, "node-mac-1", namespace)
    known.allow("node-mac-1", ("delete", "ankanodes", ""), namespace=namespace)
    assert not await rights.allows(mac, Right.DELETE_NODE)
    assert not known.access_reviews


async def test_what_is_not_in_the_table_nobody_may(rights: AccessReviewRights, known: KubeIdentities) -> None:
    assert not await rights.allows(principal(known), Right.LOGIN)


async def test_an_outage_is_no_refusal(rights: AccessReviewRights, known: KubeIdentities, api: ScriptedApi) -> None:
    builder = principal(known)
    known.allow("builder", ("list", "ankainstances", ""))
    api.fail("create", Fault(500))
    with pytest.raises(Failure) as raised:
        await rights.allows(builder, Right.LIST_VMS)
    assert raised.value.code == 503
    assert await rights.allows(builder, Right.LIST_VMS)
