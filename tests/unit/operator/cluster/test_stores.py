"""The indexes that controllers look things up by."""

from __future__ import annotations

import pytest

from anka_operator.cluster.stores import (
    AWAITING_RELEASE,
    BY_GROUP,
    BY_INSTANCE,
    BY_NODE,
    BY_TEMPLATE,
    TIME_LIMITED,
    WITH_SECRETS,
    ClusterStores,
)
from support.objects import TEMPLATE, instance, node, save_image


@pytest.fixture
def stores() -> ClusterStores:
    return ClusterStores()


def test_instances(stores: ClusterStores) -> None:
    deleted = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    secret = {"secretRef": {"name": "scripts", "key": "setup"}}
    for one in (
        instance("waits"), instance("runs", status={"nodeName": "mac-1"}), instance("deleted", meta=deleted),
        instance("released", meta={**deleted, "finalizers": ["other"]}), instance("limited", maxLifetimeSeconds=60),
        instance("secret", startupScript=secret),
    ):  # fmt: skip
        stores.instances.observe(one)

    def names(index: str, value: str = "yes") -> set[str]:
        return {one.metadata.name for one in stores.instances.by_index(index, value)}

    assert names(BY_NODE, "mac-1") == {"runs"}
    assert names(AWAITING_RELEASE) == {"deleted"}
    assert names(TIME_LIMITED) == {"limited"}
    assert names(WITH_SECRETS) == {"secret"}


def test_nodes_and_saves(stores: ClusterStores) -> None:
    stores.nodes.observe(node("a", groups=["ios", "mac"], holds=("v1", "v2")))
    stores.nodes.observe(node("b"))
    stores.saves.observe(save_image())
    assert [one.metadata.name for one in stores.nodes.by_index(BY_GROUP, "mac")] == ["a"]
    assert [one.metadata.name for one in stores.nodes.by_index(BY_TEMPLATE, TEMPLATE)] == ["a"]
    assert len(stores.saves.by_index(BY_INSTANCE, f"default/{save_image().spec.instance}")) == 1
