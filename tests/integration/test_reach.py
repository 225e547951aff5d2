"""How far each identity reaches, by all rules that the apiserver has for it: our processes by the table of rights, and
people with a role in one namespace not at all beyond that."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from anka_dev.cloud import LocalCloud
from localkube.controlplane import KubernetesCluster
from support.agents import until
from support.people import Person, make_objects
from support.rights import bound
from support.rights_table import BOUND_BY_DEFAULT, EVERYWHERE, PEOPLE, WHO, rows

pytestmark = pytest.mark.integration

Json = dict[str, Any]
Rule = tuple[str, str, str, str]
"""Group, resource, verb, name or * for any."""
NAMESPACES = ("default", "anka-ci", "anka-nodes", "anka-joining", "anka-system", "kube-system", "kube-public")
SHARED = NAMESPACES[1:]
IDENTITIES = {
    "operator": ("anka-system", "anka-operator"),
    "shim": ("anka-system", "anka-shim"),
    "agent": ("anka-nodes", "node-mac-r"),
    "join token": ("anka-joining", "mac-r"),
}
ROLES = ("view", "edit", "admin")


@pytest.fixture(scope="module")
def cluster(operator_cloud: LocalCloud) -> KubernetesCluster:
    kubectl = operator_cloud.kubectl
    kubectl.run("create", "serviceaccount", "nobody", "--namespace=default")
    kubectl.run("create", "serviceaccount", "node-mac-r", "--namespace=anka-nodes")
    kubectl.run("create", "serviceaccount", "mac-r", "--namespace=anka-joining")
    make_objects(operator_cloud.cluster)
    for role, user in BOUND_BY_DEFAULT.items():
        kubectl.run("create", "--filename=-", stdin=json.dumps(bound(role, user)))
    return operator_cloud.cluster


def rules(cluster: KubernetesCluster, user: tuple[str, str], namespace: str) -> set[Rule]:
    """All that a ServiceAccount may do in this namespace, and what is in none."""
    review = {
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": namespace},
    }  # fmt: skip
    groups = (f"system:serviceaccounts:{user[0]}", "system:serviceaccounts", "system:authenticated")
    path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
    answer = cluster.kubectl.run(
        "create", f"--raw={path}", "--filename=-", f"--as=system:serviceaccount:{user[0]}:{user[1]}",
        *(f"--as-group={group}" for group in groups), stdin=json.dumps(review),
    )  # fmt: skip
    return {
        (group, resource, verb, name)
        for rule in json.loads(answer)["status"]["resourceRules"]
        for group in rule.get("apiGroups", ())
        for resource in rule.get("resources", ())
        for verb in rule["verbs"]
        for name in rule.get("resourceNames") or ("*",)
    }


def beyond(cluster: KubernetesCluster, user: tuple[str, str], namespace: str) -> set[Rule]:
    """What every ServiceAccount may do is left out."""
    return rules(cluster, user, namespace) - rules(cluster, ("default", "nobody"), namespace)


@pytest.mark.parametrize("who", IDENTITIES)
@pytest.mark.parametrize("namespace", NAMESPACES)
def test_our_processes_may_do_what_the_table_says_and_nothing_else(
    who: str, namespace: str, cluster: KubernetesCluster
) -> None:
    told = {
        (row.right.group, row.right.resource, row.right.verb, row.right.name or "*")
        for row in rows()
        if row.right.who == WHO[who] and row.right.namespace in ("", namespace)
    }
    assert told
    assert beyond(cluster, IDENTITIES[who], namespace) == told


def test_the_table_is_about_all_of_them() -> None:
    assert {row.right.who for row in rows()} == {WHO[who] for who in IDENTITIES} | set(PEOPLE)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_in_one_namespace_ends_there(role: str, cluster: KubernetesCluster) -> None:
    with Person(cluster, role, everywhere=False):
        local = ("default", f"local-{role}")
        # The authorizer hears of the binding a moment after it is stored.
        until(lambda: ("anka.veertu.com", "ankainstances", "get", "*") in beyond(cluster, local, "default"))
        here = beyond(cluster, local, "default")
        assert not any(beyond(cluster, local, namespace) for namespace in SHARED)
        # A binding in a namespace names cluster-scoped kinds too, for which it has no meaning; and never these.
        assert not {rule for rule in here if rule[2] in ("push", "repair", "join", "escalate", "bind")}


def paths() -> Iterator[tuple[str, str, Json | None]]:
    """Requests about what is not theirs, of each kind that gives a right or takes one."""
    for namespace in SHARED:
        core, rbac = f"/api/v1/namespaces/{namespace}", f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
        leases = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        for path in (f"{core}/secrets", f"{core}/serviceaccounts", f"{core}/events", leases, f"{rbac}/roles",
                     f"{rbac}/rolebindings"):  # fmt: skip
            yield "GET", path, None
            yield "GET", f"{path}/x", None
            yield "POST", path, {"metadata": {"name": "x"}}
            yield "PUT", f"{path}/x", {"metadata": {"name": "x"}}
            yield "PATCH", f"{path}/x", {"metadata": {"labels": {"a": "b"}}}
            yield "DELETE", f"{path}/x", None
            yield "DELETE", path, None
        yield "POST", f"{core}/serviceaccounts/default/token", {"spec": {"expirationSeconds": 600}}
        yield "DELETE", core, None
        yield "PATCH", core, {"metadata": {"labels": {"a": "b"}}}
    for account in ("anka-nodes/serviceaccounts/node-mac-r", "anka-joining/serviceaccounts/mac-r",
                    "anka-system/serviceaccounts/anka-operator"):  # fmt: skip
        yield "POST", f"/api/v1/namespaces/{account}/token", {"spec": {"expirationSeconds": 600}}
    for kind in ("rbac.authorization.k8s.io/v1/clusterroles", "rbac.authorization.k8s.io/v1/clusterrolebindings",
                 "admissionregistration.k8s.io/v1/validatingadmissionpolicies",
                 "admissionregistration.k8s.io/v1/validatingadmissionpolicybindings",
                 "admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
                 "apiextensions.k8s.io/v1/customresourcedefinitions",
                 "certificates.k8s.io/v1/certificatesigningrequests"):  # fmt: skip
        yield "POST", f"/apis/{kind}", {"metadata": {"name": "x"}}
        yield "PATCH", f"/apis/{kind}/x", {"metadata": {"labels": {"a": "b"}}}
        yield "DELETE", f"/apis/{kind}/x", None


@pytest.mark.parametrize("role", ROLES)
def test_each_request_beyond_it_is_refused(role: str, cluster: KubernetesCluster) -> None:
    """By real requests, with a real token."""
    with Person(cluster, role, everywhere=False) as person:
        until(lambda: person.refused("get", "ankainstances") is None, what="bound")
        passed = {(method, path) for method, path, body in paths() if person.asks(method, path, body) != 403}
        as_another = {"Impersonate-User": "system:serviceaccount:anka-system:anka-operator"}
        assert person.asks("GET", "/apis/anka.veertu.com/v1alpha1/ankanodes", None, **as_another) == 403
    assert passed == set()


def test_everywhere_is_the_empty_namespace() -> None:
    """Else the first test would compare too little."""
    assert EVERYWHERE not in {row.right.namespace for row in rows()}
