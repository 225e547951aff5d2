"""Each right is something in Kubernetes."""

from __future__ import annotations

from anka_crds.api import KINDS
from anka_shim.access.kubernetes.verbs import VERBS
from anka_shim.http.rights import Right

NO_RIGHTS = {Right.NONE, Right.PEER, Right.LOGIN, Right.UNKNOWN_ROUTE}


def test_every_right_is_in_the_table() -> None:
    assert set(Right) - NO_RIGHTS == set(VERBS), "add what it is in Kubernetes, or nobody of the cluster has it"


def test_the_resources_are_ours() -> None:
    plurals = {kind.DEFINITION.plural for kind in KINDS}
    asked = {need.resource.partition("/")[0] for needs in VERBS.values() for need in needs}
    assert asked <= plurals


def test_only_instances_are_made_in_one_namespace() -> None:
    local = {need for needs in VERBS.values() for need in needs if need.is_local}
    assert {str(need) for need in local} == {"create ankainstances"}
