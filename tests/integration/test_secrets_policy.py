"""What the operator can make of its right to write Roles and RoleBindings: tried with its real token.

RBAC alone lets each of these attempts through."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anka_dev.cloud import LocalCloud
from anka_kube.client import KubeClient
from anka_kube.config import load_endpoint
from anka_kube.errors import Forbidden, NotFound
from anka_kube.unstructured import ROLE_BINDINGS, ROLES, SECRETS, Unstructured, raw_resource
from anka_operator.access_secret.desired import make_secret
from anka_operator.secret_grants.desired import SecretGrant
from anka_shim.vm.stored_script import build_secrets
from localkube.controlplane.kubectl import Kubectl
from localkube.errors import DevError
from support import objects
from support.agents import until

pytestmark = pytest.mark.integration

Json = dict[str, Any]

RBAC = "rbac.authorization.k8s.io"
HERE = "anka-ci"
SYSTEM = "anka-system"
CLUSTER_ROLES = raw_resource(RBAC, "v1", "clusterroles", "ClusterRole", namespaced=False)
CLUSTER_BINDINGS = raw_resource(RBAC, "v1", "clusterrolebindings", "ClusterRoleBinding", namespaced=False)
GRANT = SecretGrant(HERE, "vm", "0a1b2c3d-0000-4000-8000-000000000000", "mac-01", ("scripts",))
ROLE, BINDING = GRANT.build_role(), GRANT.build_binding("anka-nodes")

OWN = "the operator writes and deletes Roles and RoleBindings anka-secrets-<id>"
GETS = "a Role that the operator makes allows get of named Secrets, and nothing else"
AGENTS = "a RoleBinding that the operator makes binds the Role of its own name to agents"
ENDS = "what the operator makes belongs to one AnkaInstance, and ends with it"

WIDE = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: wide-rbac}
rules: [{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: wide-rbac}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: wide-rbac}
subjects: [{kind: ServiceAccount, name: anka-operator, namespace: anka-system}]
"""


@pytest.fixture(scope="module")
def kubeconfig(operator_cloud: LocalCloud) -> Path:
    file = operator_cloud.directory / "secrets-policy.kubeconfig"
    return operator_cloud.cluster.kubeconfig_for("anka-operator", "anka-system", file)


@pytest.fixture
async def operator_client(kubeconfig: Path) -> AsyncIterator[KubeClient]:
    async with KubeClient(load_endpoint(kubeconfig, environ={})) as client:
        yield client


@pytest.fixture
def wide(operator_cloud: LocalCloud) -> Iterator[None]:
    """A role that an administrator gave the operator in good faith."""
    kubectl = operator_cloud.cluster.kubectl
    kubectl.run("apply", "--filename=-", stdin=WIDE)
    asked = ("auth", "can-i", "patch", "clusterroles", "--as=system:serviceaccount:anka-system:anka-operator")
    until(lambda: _succeeds(kubectl, *asked), what="the authorizer hears of the role")
    yield
    kubectl.run("delete", "clusterrole,clusterrolebinding", "wide-rbac")


def _succeeds(kubectl: Kubectl, *words: str) -> bool:
    try:
        kubectl.run(*words)
    except DevError:
        return False
    return True


def changed(body: Json, **parts: Any) -> Json:
    """With these fields; those of `metadata` beside what is there."""
    made = copy.deepcopy(body) | {key: value for key, value in parts.items() if key != "metadata"}
    made["metadata"] |= parts.get("metadata", {})
    return made


def subject(name: str, namespace: str = "anka-nodes") -> Json:
    return {"kind": "ServiceAccount", "name": name, "namespace": namespace}


def person(kind: str, name: str) -> Json:
    return {"apiGroup": RBAC, "kind": kind, "name": name}


def to_role(name: str, kind: str = "Role") -> Json:
    return {"apiGroup": RBAC, "kind": kind, "name": name}


def rule(**parts: Any) -> list[Json]:
    return [ROLE["rules"][0] | parts]


MAC = subject("node-mac-01")
CREATED: dict[str, tuple[Any, Json, str]] = {
    "a binding of another name": (ROLE_BINDINGS, changed(BINDING, metadata={"name": "mine"}), OWN),
    "a role of another name": (ROLES, changed(ROLE, metadata={"name": "anka-secrets"}), OWN),
    "a name that begins like ours": (ROLES, changed(ROLE, metadata={"name": f"{GRANT.name}-x"}), OWN),
    "a name that ends like ours": (ROLES, changed(ROLE, metadata={"name": f"x-{GRANT.name}"}), OWN),
    "without our label": (ROLE_BINDINGS, changed(BINDING, metadata={"labels": {}}), OWN),
    "anka-secrets to a person": (
        ROLE_BINDINGS, changed(BINDING, roleRef=to_role("anka-secrets"), subjects=[person("User", "mallory")]), AGENTS,
    ),
    "anka-secrets to a Mac": (ROLE_BINDINGS, changed(BINDING, roleRef=to_role("anka-secrets")), AGENTS),
    "to a person": (ROLE_BINDINGS, changed(BINDING, subjects=[person("User", "node-mac-01")]), AGENTS),
    "to all Macs": (ROLE_BINDINGS, changed(BINDING, subjects=[person("Group", "system:serviceaccounts:anka-nodes")]),
                    AGENTS),
    "to everybody": (ROLE_BINDINGS, changed(BINDING, subjects=[person("Group", "system:authenticated")]), AGENTS),
    "to an account of another namespace": (
        ROLE_BINDINGS, changed(BINDING, subjects=[subject("node-mac-01", "default")]), AGENTS,
    ),
    "to itself": (ROLE_BINDINGS, changed(BINDING, subjects=[subject("anka-operator", "anka-system")]), AGENTS),
    "to another account of anka-nodes": (ROLE_BINDINGS, changed(BINDING, subjects=[subject("default")]), AGENTS),
    "to a Mac and a person": (ROLE_BINDINGS, changed(BINDING, subjects=[MAC, person("User", "mallory")]), AGENTS),
    "of a role that it has itself": (
        ROLE_BINDINGS, changed(BINDING, roleRef=to_role("anka-operator", "ClusterRole")), AGENTS,
    ),
    "all Secrets": (
        ROLES, changed(ROLE, rules=[{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]), GETS,
    ),
    "a right to grant": (
        ROLES, changed(ROLE, rules=rule(apiGroups=[RBAC], resources=["roles"], verbs=["create"])), GETS,
    ),
    "something else with that name": (
        ROLES, changed(ROLE, rules=rule(apiGroups=["anka.veertu.com"], resources=["ankanodes"])), GETS,
    ),
    "another verb beside it": (
        ROLES, changed(ROLE, rules=rule(apiGroups=["anka.veertu.com"], resources=["ankainstances"],
                                        verbs=["get", "patch"])), GETS,
    ),
    "another rule beside it": (
        ROLES, changed(ROLE, rules=[*rule(), *rule(apiGroups=[RBAC], resources=["rolebindings"], verbs=["delete"])]),
        GETS,
    ),
    "what outlives its instance": (ROLES, changed(ROLE, metadata={"ownerReferences": []}), ENDS),
    "what belongs to something else": (
        ROLE_BINDINGS,
        changed(BINDING, metadata={"ownerReferences": [
            BINDING["metadata"]["ownerReferences"][0] | {"apiVersion": "v1", "kind": "Namespace"}]}),
        ENDS,
    ),
}  # fmt: skip


@pytest.fixture
async def role(operator_client: KubeClient, owner: tuple[str, str]) -> AsyncIterator[None]:
    """A Role of the name that bindings give: before it asks any policy, the apiserver looks for it."""
    await operator_client.create(ROLES, owned(ROLE, owner), HERE)
    yield
    await operator_client.delete(ROLES, GRANT.name, HERE)


def owned(body: Json, owner: tuple[str, str]) -> Json:
    """The same, of an instance that is there: Kubernetes deletes what belongs to none."""
    name, uid = owner
    return changed(body, metadata={"ownerReferences": [OWNER | {"name": name, "uid": uid}]})


@pytest.mark.parametrize("case", CREATED)
async def test_what_it_cannot_make(operator_client: KubeClient, role: None, case: str) -> None:
    resource, body, says = CREATED[case]
    with pytest.raises(Forbidden, match="ValidatingAdmissionPolicy 'anka-secret-rights'.*" + says):
        await attempt(operator_client, resource, body)


@pytest.mark.parametrize("name", ["anka-shim", "anka-secrets"])
@pytest.mark.parametrize("resource", [ROLES, ROLE_BINDINGS], ids=["role", "binding"])
async def test_what_it_cannot_delete(operator_client: KubeClient, resource: Any, name: str) -> None:
    with pytest.raises(Forbidden, match=f"{OWN}.*{name} is none of them"):
        await operator_client.delete(resource, name, HERE)
    assert (await operator_client.list(resource, HERE)).items


OWNER = {"apiVersion": "anka.veertu.com/v1alpha1", "kind": "AnkaInstance", "name": "vm", "uid": "u"}
STORED = build_secrets("QQ==", [objects.instance(startupScript={"secretRef": {
    "name": "anka-script-0a1b2c3d-0000-4000-8000-000000000000", "key": "script"}})])[0]  # fmt: skip
ONLY = "the API shim creates Secrets anka-script-<id>"
BELONGS = "a stored script belongs to AnkaInstances, and ends with them"
SECRETS_REFUSED: dict[str, tuple[Json, str]] = {
    "another name": (changed(STORED, metadata={"name": "setup"}), ONLY),
    "a name that ends otherwise": (changed(STORED, metadata={"name": STORED["metadata"]["name"] + "0"}), ONLY),
    "a token of an account": (
        changed(
            STORED,
            type="kubernetes.io/service-account-token",
            metadata={"annotations": {"kubernetes.io/service-account.name": "default"}},
        ),
        ONLY,
    ),
    "one that can be changed": (changed(STORED, immutable=False), ONLY),
    "another key": (changed(STORED, data={"script": "QQ==", "password": "QQ=="}), ONLY),
    "nobody's": (changed(STORED, metadata={"ownerReferences": []}), BELONGS),
    "a namespace's": (
        changed(STORED, metadata={"ownerReferences": [OWNER | {"apiVersion": "v1", "kind": "Namespace"}]}),
        BELONGS,
    ),
    "one that stays": (changed(STORED, metadata={"finalizers": ["mallory.example.com/stay"]}), BELONGS),
}


@pytest.fixture
async def shim_client(operator_cloud: LocalCloud) -> AsyncIterator[KubeClient]:
    file = operator_cloud.cluster.kubeconfig_for(
        "anka-shim", "anka-system", operator_cloud.directory / "shim.kubeconfig"
    )
    async with KubeClient(load_endpoint(file, environ={})) as client:
        yield client


@pytest.mark.parametrize("case", SECRETS_REFUSED)
async def test_what_secrets_the_shim_cannot_make(shim_client: KubeClient, case: str) -> None:
    body, says = SECRETS_REFUSED[case]
    with pytest.raises(Forbidden, match="ValidatingAdmissionPolicy 'anka-stored-scripts'.*" + says):
        await shim_client.create(SECRETS, body, HERE, dry_run=True)


async def test_the_shim_makes_its_own_secrets_reads_none_and_makes_none_elsewhere(shim_client: KubeClient) -> None:
    await shim_client.create(SECRETS, STORED, HERE, dry_run=True)
    for attempt in (
        shim_client.get(SECRETS, STORED["metadata"]["name"], HERE),
        shim_client.list(SECRETS, HERE),
        shim_client.delete(SECRETS, STORED["metadata"]["name"], HERE),
        shim_client.create(SECRETS, STORED, "default", dry_run=True),
    ):
        with pytest.raises(Forbidden):
            await attempt


ACCESS = make_secret(SYSTEM, lambda: "t" * 43)
ONE = "the operator creates the Secret anka-access with the keys of the REST API, and no other Secret"
ACCESS_REFUSED: dict[str, Json] = {
    "another name": changed(ACCESS, metadata={"name": "anka-access-2"}),
    "a token of an account": changed(
        ACCESS,
        type="kubernetes.io/service-account-token",
        data={},
        metadata={"annotations": {"kubernetes.io/service-account.name": "anka-shim"}},
    ),
    "another key": changed(ACCESS, data=ACCESS["data"] | {"password": "QQ=="}),
}


@pytest.mark.parametrize("case", ACCESS_REFUSED)
async def test_what_secrets_the_operator_cannot_make(operator_client: KubeClient, case: str) -> None:
    with pytest.raises(Forbidden, match="ValidatingAdmissionPolicy 'anka-access-secret'.*" + ONE):
        await operator_client.create(SECRETS, ACCESS_REFUSED[case], SYSTEM, dry_run=True)


async def test_the_operator_makes_its_one_secret_reads_no_other_and_changes_none(
    operator_client: KubeClient, operator_cloud: LocalCloud
) -> None:
    await operator_client.create(SECRETS, ACCESS, SYSTEM)
    try:
        found = await operator_client.get(SECRETS, "anka-access", SYSTEM)
        assert found.raw["data"] == ACCESS["data"]
        for attempt in (
            operator_client.get(SECRETS, "other", SYSTEM),
            operator_client.list(SECRETS, SYSTEM),
            operator_client.patch(SECRETS, "anka-access", {"data": {}}, SYSTEM),
            operator_client.delete(SECRETS, "anka-access", SYSTEM),
            operator_client.create(SECRETS, changed(ACCESS, metadata={"namespace": HERE}), HERE, dry_run=True),
        ):
            with pytest.raises(Forbidden):
                await attempt
    finally:
        operator_cloud.kubectl.run("delete", "secret", "anka-access", f"--namespace={SYSTEM}")


async def test_a_wide_role_does_not_make_it_more(
    operator_client: KubeClient, operator_cloud: LocalCloud, wide: None
) -> None:
    """Neither in another namespace, nor what is there already."""
    with pytest.raises(Forbidden, match=ONE):
        await operator_client.create(SECRETS, changed(ACCESS, metadata={"namespace": HERE}), HERE, dry_run=True)
    await operator_client.create(SECRETS, ACCESS, SYSTEM)
    try:
        with pytest.raises(Forbidden, match=ONE):
            await operator_client.patch(SECRETS, "anka-access", {"data": {"root-token": "QQ=="}}, SYSTEM)
        with pytest.raises(Forbidden, match=ONE):
            await operator_client.delete(SECRETS, "anka-access", SYSTEM)
    finally:
        operator_cloud.kubectl.run("delete", "secret", "anka-access", f"--namespace={SYSTEM}")


async def test_what_only_looks_like_its_own(operator_client: KubeClient, operator_cloud: LocalCloud) -> None:
    """A Role of a person, with such a name but without the label."""
    manifest = {"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": {"name": GRANT.name}}
    kubectl = operator_cloud.cluster.kubectl
    kubectl.run("create", "--filename=-", f"--namespace={HERE}", stdin=json.dumps(manifest))
    with pytest.raises(Forbidden, match=OWN):
        await operator_client.delete(ROLES, GRANT.name, HERE)
    kubectl.run("delete", "role", GRANT.name, f"--namespace={HERE}")


CLUSTERWIDE = {
    "binds itself": (
        CLUSTER_BINDINGS,
        {"metadata": {"name": GRANT.name, "labels": BINDING["metadata"]["labels"]},
         "roleRef": to_role("cluster-admin", "ClusterRole"), "subjects": [subject("anka-operator", "anka-system")]},
    ),
    "makes a role": (CLUSTER_ROLES, changed(ROLE)),
}  # fmt: skip


@pytest.mark.parametrize("case", CLUSTERWIDE)
async def test_what_a_wide_role_does_not_change(operator_client: KubeClient, wide: None, case: str) -> None:
    resource, body = CLUSTERWIDE[case]
    with pytest.raises(Forbidden, match=OWN):
        await operator_client.create(resource, body, dry_run=True)


async def bind(client: KubeClient, binding: Json) -> None:
    """The apiserver reads the Role that is bound from a cache, and does not find one of a moment ago: the operator
    tries again, too."""
    await attempt(client, ROLE_BINDINGS, binding, dry_run=False)


async def attempt(client: KubeClient, resource: Any, body: Json, *, dry_run: bool = True) -> None:
    """Create it, as soon as the apiserver knows all that it names."""
    async with asyncio.timeout(60):
        while True:
            with suppress(NotFound):
                await client.create(resource, body, HERE, dry_run=dry_run)
                return


async def test_it_does_not_change_what_is_there(
    operator_client: KubeClient, owner: tuple[str, str], wide: None
) -> None:
    """Neither another's, nor its own into something else."""
    with pytest.raises(Forbidden, match=OWN):
        await operator_client.patch(ROLES, "anka-shim", {"rules": []}, HERE)
    with pytest.raises(Forbidden, match=OWN):
        await operator_client.patch(CLUSTER_ROLES, "anka-operator", {"rules": []})
    await operator_client.create(ROLES, owned(ROLE, owner), HERE)
    await bind(operator_client, owned(BINDING, owner))
    for resource, change, says in (
        (ROLES, {"rules": rule(resources=["configmaps"])}, GETS),
        (ROLES, {"metadata": {"labels": None}}, OWN),
        (ROLE_BINDINGS, {"subjects": [person("User", "mallory")]}, AGENTS),
    ):
        with pytest.raises(Forbidden, match=says):
            await operator_client.patch(resource, GRANT.name, change, HERE)
    for resource in (ROLE_BINDINGS, ROLES):
        await operator_client.delete(resource, GRANT.name, HERE)


NAMES = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)
SECRET_NAMES = st.lists(NAMES, min_size=1, max_size=3).map(tuple)


@pytest.fixture(scope="module")
def owner(operator_cloud: LocalCloud) -> Iterator[tuple[str, str]]:
    """Name and uid of an instance: what belongs to none, Kubernetes deletes at once."""
    kubectl, name = operator_cloud.cluster.kubectl, "owner-of-grants"
    manifest = {"apiVersion": OWNER["apiVersion"], "kind": "AnkaInstance", "metadata": {"name": name}}
    shown = kubectl.run(
        "create", "--filename=-", f"--namespace={HERE}", "--output=json",
        stdin=json.dumps(manifest | {"spec": {"template": "not-there"}}),
    )  # fmt: skip
    yield name, json.loads(shown)["metadata"]["uid"]
    kubectl.run("delete", "ankainstance", name, f"--namespace={HERE}", "--wait=false")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(node=NAMES, secrets=SECRET_NAMES)
async def test_whatever_it_grants_is_allowed(
    operator_client: KubeClient, owner: tuple[str, str], node: str, secrets: tuple[str, ...]
) -> None:
    grant = SecretGrant(HERE, *owner, node, secrets)
    made: Unstructured = await operator_client.create(ROLES, grant.build_role(), HERE)
    assert made.metadata.name == grant.name
    await bind(operator_client, grant.build_binding("anka-nodes"))
    for resource in (ROLE_BINDINGS, ROLES):
        await operator_client.delete(resource, grant.name, HERE)
