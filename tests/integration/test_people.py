"""Each right that people get, used with a real token, and missed once it is taken out of its role.

docs/reference/rights.md names the tests. The roles are those of charts/base; Kubernetes' own controllers add them to
view, edit and admin, as in any cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import yaml

from anka_crds.api import KINDS_WITH_STATUS
from anka_dev.cloud import LocalCloud
from anka_dev.repository import BASE
from localkube.controlplane import KubernetesCluster
from support.agents import until
from support.people import SPECS, Person, make_objects
from support.rights import Granted, Right, bound, granted
from support.rights_table import PEOPLE
from support.roles import Roles

pytestmark = pytest.mark.integration

WHO_HAS = {"anka-view": ("view", "edit", "admin"), "anka-edit": ("edit", "admin"), "anka-repair": ("anka-repair",)}
MAC_POOLS = ("anka-mac-pools", "anka-mac-pool-counts")
WHO_HAS |= {role: (role,) for role in ("anka-push", "anka-api-keys", "anka-permission-groups", *MAC_POOLS)}
WHO_HAS |= {role: (role,) for role in ("anka-reviews", "anka-resource-permissions")}
"""By the role of ours: the roles that people are bound to who have it with that."""
LESSER: dict[str, tuple[str, ...]] = {"anka-view": (), "anka-edit": ("view", "anka-view"), "anka-repair": ()}
LESSER |= {"anka-mac-pools": ("anka-api-keys",), "anka-mac-pool-counts": ("view", "edit", "admin", "anka-mac-pools")}
LESSER |= {"anka-push": ("view", "edit", "admin"), "anka-api-keys": ("view", "edit", "admin", "anka-view")}
LESSER |= {"anka-permission-groups": ("view", "edit", "admin", "anka-view", "anka-api-keys")}
LESSER |= {"anka-resource-permissions": ("view", "edit", "admin", "anka-view", "anka-api-keys")}
LESSER |= {"anka-reviews": ("view", "edit", "admin", "anka-api-keys")}
"""And those who must not; who does not repair, see below."""

WITH_STATUS = {kind.DEFINITION.plural for kind in KINDS_WITH_STATUS}
_FILES = [BASE / f"rbac-{name}.yaml" for name in ("people", "api-keys", "mac-pools", "permission-groups", "reviews")]
_WRITTEN = [item for file in _FILES for item in yaml.safe_load_all(file.read_text())]
EVERY = list(granted([*_WRITTEN, *map(bound, PEOPLE)]))


def of(role: str) -> pytest.MarkDecorator:
    mine = [one for one in EVERY if one.role == role]
    return pytest.mark.parametrize("one", mine, ids=lambda one: f"{one.right.verb} {one.right.resource}")


@pytest.fixture(scope="module")
def cluster(operator_cloud: LocalCloud) -> KubernetesCluster:
    return operator_cloud.cluster


@pytest.fixture(scope="module")
def roles(cluster: KubernetesCluster) -> Roles:
    return Roles(cluster.kubeconfig)


@pytest.fixture(scope="module")
def people(cluster: KubernetesCluster) -> Iterator[dict[str, Person]]:
    make_objects(cluster)
    with ExitStack() as stack:
        ours = (
            *("anka-view", "anka-repair", "anka-api-keys", "anka-permission-groups", "anka-reviews"),
            *("anka-resource-permissions", *MAC_POOLS),
        )
        every = {role: stack.enter_context(Person(cluster, role)) for role in ("view", "edit", "admin", *ours)}
        # Who pushes creates SaveImages.
        yield every | {"anka-push": stack.enter_context(Person(cluster, "anka-push", also=("anka-edit",)))}


def becomes(true: Callable[[], bool], what: object) -> None:
    """Roles are added to others by a controller, and read from a cache: both take some milliseconds."""
    until(true, what=str(what))


def may(who: Person, right: Right) -> list[bool]:
    """A role for any of our kinds is tried with each. Who may repair writes statuses, as a policy lets nobody else."""
    plural, _, part = right.resource.partition("/")
    if part:
        # Past RBAC a policy refuses it to all but the operator.
        why = who.refused(right.verb, plural, part)
        return [why is None or "ValidatingAdmissionPolicy" in why]
    plurals = SPECS if right.resource == "*" else [right.resource]
    repairs = right.verb == "repair"
    if repairs:
        return [who.refused("patch", one, "status") is None for one in plurals if one in WITH_STATUS]
    return [who.refused(right.verb, one) is None for one in plurals]


def is_needed(one: Granted, people: dict[str, Person], roles: Roles) -> None:
    """All who should have it may, none of them without it, and all again with it. The lesser never may."""
    asking = [people[role] for role in WHO_HAS[one.role]]

    def answers() -> list[bool]:
        return [answer for who in asking for answer in may(who, one.right)]

    becomes(lambda: all(answers()), f"{one.right}: refused")
    with roles.without(one):
        becomes(lambda: not any(answers()), f"{one.right}: allowed without it")
    becomes(lambda: all(answers()), f"{one.right}: refused still")
    assert not any(answer for role in LESSER[one.role] for answer in may(people[role], one.right))


@of("anka-view")
def test_who_has_view_reads(one: Granted, people: dict[str, Person], roles: Roles) -> None:
    is_needed(one, people, roles)


@of("anka-edit")
def test_who_has_edit_changes(one: Granted, people: dict[str, Person], roles: Roles) -> None:
    is_needed(one, people, roles)


@of("anka-repair")
def test_who_has_repair_repairs(one: Granted, people: dict[str, Person], roles: Roles) -> None:
    is_needed(one, people, roles)


@of("anka-push")
def test_who_has_push_pushes(one: Granted, people: dict[str, Person], roles: Roles) -> None:
    is_needed(one, people, roles)


@of("anka-api-keys")
def test_who_has_api_keys_manages_them(one: Granted, people: dict[str, Person], roles: Roles) -> None:
    is_needed(one, people, roles)


@of("anka-permission-groups")
def test_who_has_permission_groups_manages_them(one: Granted, people: dict[str, Person], roles: Roles) -> None:
    is_needed(one, people, roles)


@of("anka-resource-permissions")
def test_who_has_resource_permissions_watches_groups(one: Granted, people: dict[str, Person], roles: Roles) -> None:
    is_needed(one, people, roles)


@of("anka-mac-pools")
def test_who_has_mac_pools_watches_them(one: Granted, people: dict[str, Person], roles: Roles) -> None:
    is_needed(one, people, roles)


@of("anka-mac-pool-counts")
def test_who_has_mac_pool_counts_writes_them(one: Granted, people: dict[str, Person], roles: Roles) -> None:
    is_needed(one, people, roles)


@of("anka-reviews")
def test_who_has_reviews_asks_about_others(one: Granted, people: dict[str, Person], roles: Roles) -> None:
    is_needed(one, people, roles)


READS, CHANGES = ("get", "list", "watch"), ("create", "update", "patch", "delete", "deletecollection")
LOCAL = {"view": READS, "edit": (*READS, *CHANGES), "admin": (*READS, *CHANGES)}
"""A role that is bound in one namespace: the verbs that it gives there."""


@pytest.mark.parametrize("role", LOCAL)
def test_a_role_in_one_namespace_reaches_nothing_that_all_share(
    role: str, cluster: KubernetesCluster, people: dict[str, Person]
) -> None:
    """Nodes, templates, groups and distributions are cluster-scoped; so is the right to push."""
    with Person(cluster, role, everywhere=False) as person:
        becomes(lambda: person.refused("get", "ankainstances") is None, "bound")
        allowed = {
            (verb, plural, namespace)
            for verb in (*READS, *CHANGES, "push")
            for plural in SPECS
            for namespace in ("default", "anka-ci")
            if person.refused(verb, plural, namespace=namespace) is None
        }
        assert not any(
            person.refused(verb, plural, "status", namespace) is None
            for verb in ("get", "update", "patch")
            for plural in SPECS
            for namespace in ("default", "anka-ci")
        )
    mine = ("ankainstances", "saveimages")
    assert allowed == {(verb, plural, "default") for verb in LOCAL[role] for plural in mine}


@pytest.mark.parametrize("role", ["view", "edit", "admin"])
def test_nobody_else_repairs(role: str, people: dict[str, Person]) -> None:
    for plural in WITH_STATUS:
        assert people[role].refused("patch", plural, "status")


def test_every_right_is_tried_once() -> None:
    assert {one.role for one in EVERY} == set(PEOPLE) == set(WHO_HAS)
    assert len({one.right for one in EVERY}) == len(EVERY)
