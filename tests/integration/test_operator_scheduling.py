"""The operator process against a real apiserver, under its own service account: who runs where, and why not."""

from __future__ import annotations

from collections import Counter

import pytest

from anka_crds.api import NodeState, Phase
from anka_crds.api.meta import FINALIZER
from anka_crds.core.conditions import find, is_true
from anka_crds.core.naming import is_uuid
from anka_crds.kube.kinds import INSTANCES, NODES
from anka_dev.cloud.service import Service
from support.conditions import condition
from support.operators import NAMESPACE, TEMPLATE, Fleet

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("operator")]


async def test_bind_says_all_that_the_agent_needs(fleet: Fleet) -> None:
    await fleet.node("mac-1", holds=("v1",))
    await fleet.instance("one", template="macos-15")
    instance = await fleet.bound("one")
    status = instance.status
    assert (status.node_name, status.phase, status.arch) == ("mac-1", Phase.SCHEDULING, "arm64")
    assert status.template is not None
    assert (status.template.id, status.template.name, status.template.tag, status.template.version) == (
        TEMPLATE, "macos-15", "v1", 0,
    )  # fmt: skip
    assert status.request_id is not None
    assert is_uuid(status.request_id)
    assert status.observed_generation == instance.metadata.generation
    assert is_true(status.conditions, "Scheduled")
    assert is_true(status.conditions, "Reconciling")
    assert FINALIZER in instance.metadata.finalizers


async def test_pulling_when_the_node_lacks_the_tag(fleet: Fleet) -> None:
    await fleet.node("mac-1")
    await fleet.instance("one")
    assert (await fleet.bound("one")).status.phase is Phase.PULLING


async def test_three_nodes_share_the_work_within_their_capacity(fleet: Fleet) -> None:
    for number in (1, 2, 3):
        await fleet.node(f"mac-{number}", slots=2, holds=("v1",))
    await fleet.see(NODES, "mac-3", lambda node: node.status.state is NodeState.ACTIVE)
    for number in range(3):
        await fleet.instance(f"first-{number}")
    bound = await fleet.all_bound(3)
    assert Counter(one.status.node_name for one in bound) == {"mac-1": 1, "mac-2": 1, "mac-3": 1}
    for number in range(4):
        await fleet.instance(f"second-{number}")
    waiting = await fleet.instances.wait_for(
        lambda store: [
            one
            for one in store
            if (why := find(one.status.conditions, "Scheduled")) and why.message == "0/3 nodes fit: 3 full"
        ],
        15,
    )
    assert len(waiting) == 1
    ready = condition(waiting[0], "Ready")
    assert (ready.status, ready.reason, ready.message) == ("False", "Unschedulable", "0/3 nodes fit: 3 full")
    assert Counter(one.status.node_name for one in fleet.instances) == {"mac-1": 2, "mac-2": 2, "mac-3": 2, None: 1}


async def test_a_freed_place_goes_to_the_most_urgent(fleet: Fleet) -> None:
    await fleet.node("mac-1", slots=1, holds=("v1",))
    await fleet.instance("running")
    await fleet.bound("running")
    await fleet.instance("patient")
    await fleet.instance("urgent", priority=1)
    await fleet.client.delete(INSTANCES, "running", NAMESPACE)
    await fleet.release("running")
    await fleet.bound("urgent")
    assert (await fleet.client.get(INSTANCES, "patient", NAMESPACE)).status.node_name is None


async def test_what_cannot_run_does_not_block(fleet: Fleet) -> None:
    await fleet.node("mac-1", holds=("v1",))
    await fleet.instance("no-template", template="nonesuch", priority=1)
    await fleet.instance("no-tag", tag="v9", priority=1)
    await fleet.instance("no-node", node="mac-9", priority=1)
    await fleet.instance("fine")
    await fleet.bound("fine")
    for name, reason, words in (
        ("no-template", "TemplateNotFound", "No template nonesuch in the registry"),
        ("no-tag", "TagNotFound", "Template macos-15 has no tag v9: it has v1"),
        ("no-node", "NodeNotFound", "There is no node mac-9"),
    ):
        told = await fleet.see(
            INSTANCES, name, lambda one: find(one.status.conditions, "Scheduled") is not None, NAMESPACE
        )
        why = condition(told, "Scheduled")
        assert (why.status, why.reason, why.message) == ("False", reason, words)


async def test_a_template_that_appears_later(fleet: Fleet) -> None:
    await fleet.node("mac-1")
    await fleet.instance("early", template="macos-16")
    await fleet.template("11111111-1111-1111-1111-111111111111", "macos-16", ("a", "b"))
    instance = await fleet.bound("early")
    assert instance.status.template is not None
    assert instance.status.template.tag == "b"


async def test_draining_takes_nothing_new(fleet: Fleet) -> None:
    await fleet.node("mac-1", drainMode=True)
    node = await fleet.see(NODES, "mac-1", lambda node: node.status.state is not None)
    assert node.status.state is NodeState.DRAIN
    await fleet.instance("one")
    told = await fleet.see(INSTANCES, "one", lambda one: find(one.status.conditions, "Scheduled"), NAMESPACE)
    assert condition(told, "Scheduled").message == "0/1 node fit: 1 draining"
    await fleet.client.patch(NODES, "mac-1", {"spec": {"drainMode": False}})
    await fleet.bound("one")


async def test_an_instance_without_the_finalizer_gets_it_before_it_is_bound(fleet: Fleet) -> None:
    """As in a cluster without the admission policy: the policy only acts on creation."""
    await fleet.instance("bare")
    await fleet.release("bare")
    await fleet.node("mac-1")
    assert FINALIZER in (await fleet.bound("bare")).metadata.finalizers


async def test_the_operator_is_well(fleet: Fleet, operator: Service) -> None:
    assert operator.readiness() == (
        True,
        "[ok] loop\n[ok] watches\n[ok] stopping\n[ok] api\n[ok] caches\n",
    )
