"""The caches that reads are answered from, with the indexes that requests need."""

from __future__ import annotations

from anka_crds.api import NodeGroup
from anka_crds.rules.naming import instance_id
from anka_kube.client import KubeClient
from anka_kube.endpoint import Endpoint
from anka_shim.annotations import SLOT
from anka_shim.store.caches import BY_SLOT, Stores, Watches
from support.objects import instance, metadata, save_image, template
from support.scripted_api import ScriptedApi


def test_instances_by_id_node_and_slot() -> None:
    stores = Stores()
    bound = instance("a", status={"nodeName": "mac-1"}, meta={"annotations": {SLOT: "s-1"}})
    for obj in (bound, instance("b")):
        stores.instances.apply_written(obj)
    assert stores.instance(instance_id("a", "uid-a")) == bound
    assert stores.instance("unknown") is None
    assert list(stores.instances_on("mac-1")) == [bound]
    assert list(stores.instances.by_index(BY_SLOT, "s-1")) == [bound]


def test_an_object_named_by_the_uid_of_another_is_not_taken_for_it() -> None:
    uid = "e74dfc0e-dc94-4ca2-575e-3219ac08ffa2"
    golden = instance("golden", meta={"uid": uid})
    thief = instance(uid, meta={"uid": "c983c3bf-a0c0-43dc-54dc-2fd9f7d62fce"})
    for order in ((golden, thief), (thief, golden)):
        stores = Stores(namespace="default")
        for obj in order:
            stores.instances.apply_written(obj)
        assert stores.instance(uid) == golden


def test_templates_and_groups_by_every_name_that_they_have() -> None:
    stores = Stores()
    made = template(displayName="shown")
    stores.templates.apply_written(made)
    stores.groups.apply_written(
        NodeGroup.from_api({"metadata": metadata("ios"), "spec": {"displayName": "iOS builds"}})
    )
    assert list(stores.templates_named("macos-15")) == list(stores.templates_named("shown")) == [made]
    assert [found.metadata.name for found in stores.groups_named("iOS builds")] == ["ios"]
    assert (stores.group("iOS builds"), list(stores.groups_named("ios"))) == (None, [])


def test_saves_oldest_first_and_those_of_an_instance_that_are_pending() -> None:
    stores = Stores()
    young = save_image("young", meta={"age": 1})
    old = save_image("old", meta={"age": 9}, status={"phase": "Done"})
    for obj in (young, old):
        stores.saves.apply_written(obj)
    assert stores.all_saves() == [old, young]
    of = instance(str(young.spec.instance))
    assert list(stores.pending_saves_of(of)) == [young]


def test_the_instance_of_a_save_has_the_id_that_it_has_itself() -> None:
    name, uid = "e74dfc0e-dc94-4ca2-575e-3219ac08ffa2", "c983c3bf-a0c0-43dc-54dc-2fd9f7d62fce"
    recorded = {"instanceId": uid}
    made_by_rest, by_kubectl = save_image(of=name, status=recorded), save_image(of="golden", status=recorded)
    here, elsewhere = Stores(namespace="default"), Stores(namespace="elsewhere")
    for stores in (here, elsewhere):
        stores.instances.apply_written(instance("golden", meta={"uid": "of-another-that-came-later"}))
    assert [here.instance_id_of(save) for save in (made_by_rest, by_kubectl)] == [name, uid]
    assert [elsewhere.instance_id_of(save) for save in (made_by_rest, by_kubectl)] == [uid, uid]


def test_an_instance_of_kubectl_that_is_gone_before_its_save_began_is_known_by_its_name() -> None:
    assert Stores().instance_id_of(save_image(of="golden")) == "golden"


async def test_what_was_not_read_yet_is_named() -> None:
    async with ScriptedApi().serve() as api, KubeClient(Endpoint(api.url)) as client:
        stores = Stores()
        watches = Watches(client, stores)
        assert str(watches.missing_caches()).startswith("not read from the Kubernetes API yet: ankainstances, ")
        async with watches:
            await api.until(lambda: api.open_streams == len(stores.all))
            assert watches.missing_caches() is None
