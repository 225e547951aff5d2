"""Who may write what: every operation tried by every identity, with its real token, against roles and policies."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from anka_agent.identity.tokens import ACCOUNT_UID
from anka_crds.api import SaveImage, TemplateDistribution
from anka_crds.api.meta import FINALIZER
from anka_crds.kube.client import KubeClient
from anka_crds.kube.config import load_endpoint
from anka_crds.kube.errors import Forbidden, NotFound
from anka_crds.kube.kinds import GROUPS, INSTANCES, NODES, TEMPLATES, resource_of
from anka_crds.kube.lease import LEASES
from anka_crds.kube.resource import Resource
from anka_crds.kube.unstructured import EVENTS, SERVICE_ACCOUNTS, unstructured
from anka_dev.cloud import LocalCloud
from anka_dev.cloud.install import ensure_node_account

pytestmark = pytest.mark.integration

Json = dict[str, Any]

SAVES = resource_of(SaveImage)
DISTRIBUTIONS = resource_of(TemplateDistribution)
SECRETS = unstructured("", "v1", "secrets", "Secret", namespaced=True)
HERE = "anka-ci"

PEOPLE = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: PERSON, namespace: default}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: PERSON}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: ROLE}
subjects: [{kind: ServiceAccount, name: PERSON, namespace: default}]
"""
# A role that somebody wrote in good faith: all of the kinds, statuses too.
WIDE = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: wide}
rules:
  - apiGroups: [anka.veertu.com]
    resources: ["*"]
    verbs: [get, list, watch, create, update, patch, delete]
"""

ACTORS = ("operator", "shim", "joiner", "mac-a", "mac-b", "editor", "wide", "repairer", "admin")
"""joiner: a join token. editor: the role edit of Kubernetes. wide: every usual verb on our kinds.
repairer: anka-repair. admin: system:masters."""


@pytest.fixture(scope="module")
def kubeconfigs(operator_cloud: LocalCloud) -> dict[str, Path]:
    cluster = operator_cloud.cluster
    roles = {"editor": "edit", "wide": "wide", "repairer": "anka-repair"}
    people = [PEOPLE.replace("PERSON", person).replace("ROLE", role) for person, role in roles.items()]
    cluster.kubectl.run("apply", "--filename=-", stdin="---".join([WIDE, *people]))
    accounts = {"operator": ("anka-operator", "anka-system"), "shim": ("anka-shim", "anka-system")}
    accounts |= {"joiner": ("anka-joiner", "anka-system")}
    accounts |= {mac: (ensure_node_account(cluster, mac), "anka-nodes") for mac in ("mac-a", "mac-b")}
    accounts |= {person: (person, "default") for person in roles}
    folder = operator_cloud.directory
    return {
        "admin": cluster.kubeconfig,
        **{
            name: cluster.kubeconfig_for(account, namespace, folder / f"matrix-{name}.kubeconfig")
            for name, (account, namespace) in accounts.items()
        },
    }


@pytest.fixture
async def clients(kubeconfigs: dict[str, Path]) -> AsyncIterator[dict[str, KubeClient]]:
    async with AsyncExitStack() as stack:
        yield {
            name: await stack.enter_async_context(KubeClient(load_endpoint(kubeconfigs[name], environ={})))
            for name in ACTORS
        }


# What is there before each try


async def fresh(admin: KubeClient, resource: Resource[Any], name: str, namespace: str | None, body: Json) -> None:
    """The object made anew, with this status; `deleting` leaves it in deletion, kept by the finalizer."""
    await absent(admin, resource, name, namespace)
    metadata = {"name": name, **({"finalizers": body["finalizers"]} if "finalizers" in body else {})}
    spec = {"spec": body["spec"]} if "spec" in body else {}
    await admin.create(resource, {"metadata": metadata, **spec}, namespace)
    if "status" in body:
        await admin.patch(resource, name, {"status": body["status"]}, namespace, subresource="status")
    if body.get("deleting"):
        await admin.delete(resource, name, namespace)


async def absent(admin: KubeClient, resource: Resource[Any], name: str, namespace: str | None) -> None:
    with suppress(NotFound):
        await admin.patch(resource, name, {"metadata": {"finalizers": None}}, namespace)
    with suppress(NotFound):
        await admin.delete(resource, name, namespace)


ON_A = {"nodeName": "mac-a", "phase": "Started"}
VM: Json = {"spec": {"template": "t"}}
BOUND: Json = {**VM, "status": ON_A}
KEPT: Json = {"finalizers": [FINALIZER]}
RULED: Json = {"keptTemplates": [{"template": "t", "tag": "v1"}]}
NODE: Json = {"spec": {"maxVmCount": 2}, "status": {"state": "Active", "cpuCount": 8, "ipAddress": "10.0.0.1"}}
LEASE: Json = {"spec": {"holderIdentity": "mac-a", "leaseDurationSeconds": 40}}
SAVE: Json = {"spec": {"instance": "x", "tag": "v2", "targetTemplate": "t"}}
DISTRIBUTION: Json = {"spec": {"template": "t"}}
EMPTY: Json = {"spec": {}}
SECRET: Json = {}


def about(kind: str, name: str) -> Json:
    """What an Event is about."""
    involved = {"apiVersion": "anka.veertu.com/v1alpha1", "kind": kind, "name": name}
    return {"involvedObject": involved, "type": "Normal", "reason": "Test", "message": "x"}


@dataclass(frozen=True)
class Try:
    """`verb` on an object that is `before` (None: not there). `body` is the merge patch or the spec."""

    name: str
    verb: str
    resource: Resource[Any]
    object_name: str
    before: Json | None
    body: Json
    allowed: str
    """Who may; everybody else must be refused."""
    says: str = ""
    """What a policy tells those whom RBAC lets through."""
    status: bool = False

    @property
    def namespace(self) -> str | None:
        if self.resource is LEASES:
            return "anka-system" if self.object_name == "anka-operator" else "anka-nodes"
        if self.resource is EVENTS:
            return "default"
        return HERE if self.resource.namespaced else None

    async def do(self, client: KubeClient) -> None:
        if self.verb == "create":
            content = self.body if self.resource is EVENTS else {"spec": self.body}
            body = {"metadata": {"name": self.object_name}, **content}
            await client.create(self.resource, body, self.namespace)
        elif self.verb == "delete":
            await client.delete(self.resource, self.object_name, self.namespace)
        elif self.verb == "get":
            await client.get(self.resource, self.object_name, self.namespace)
        else:
            await client.patch(
                self.resource, self.object_name, self.body, self.namespace,
                subresource="status" if self.status else None,
            )  # fmt: skip


def patch(
    name: str, resource: Resource[Any], object_name: str, before: Json, body: Json, allowed: str, says: str = ""
) -> Try:
    return Try(name, "patch", resource, object_name, before, body, allowed, says, status=False)


def status(
    name: str, resource: Resource[Any], object_name: str, before: Json, body: Json, allowed: str, says: str
) -> Try:
    return Try(name, "patch", resource, object_name, before, {"status": body}, allowed, says, status=True)


BINDS = "status.nodeName is set by the operator alone (ServiceAccount anka-system/anka-operator), not by "
OPERATOR_ONLY = "status is written by the operator alone (ServiceAccount anka-system/anka-operator), not by "
NO_NODE_YET = (
    "status is written by the operator alone (ServiceAccount anka-system/anka-operator) until there is a node, not by "
)
REPORTS = (
    "status is written by the agent of its node (ServiceAccount anka-nodes/node-mac-a) and by the operator, not by "
)
RELEASES = "finalizer anka.veertu.com/vm is removed, once the object is deleted, by "
JUDGES = (
    "status.state, keptTemplates, updateApproved, conditions and observedGeneration are written by the operator alone "
    "(ServiceAccount anka-system/anka-operator), not by "
)
NODE_REPORTS = (
    "what is reported in status is written by the agent of this node alone "
    "(ServiceAccount anka-nodes/node-mac-a), not by "
)
TELLS = "an agent writes Events about the AnkaNode of its own node alone"
NOT_MINE = "an agent changes nothing here but finalizer anka.veertu.com/vm of what is on its node"
REPAIRS = "repairer admin"
DELETING: Json = {**KEPT, "deleting": True}
RELEASE: Json = {"metadata": {"finalizers": None}}

TRIES = [
    # Instances
    Try("create instance", "create", INSTANCES, "vm", None, VM["spec"], "shim editor wide admin"),
    patch("spec", INSTANCES, "vm", BOUND, {"spec": {"priority": 5}}, "shim editor wide " + REPAIRS),
    patch("label", INSTANCES, "vm", BOUND, {"metadata": {"labels": {"a": "b"}}},
          "operator shim editor wide " + REPAIRS, NOT_MINE),
    status("bind", INSTANCES, "vm", VM, {"nodeName": "mac-a"}, "operator " + REPAIRS, BINDS),
    status("status without node", INSTANCES, "vm", VM, {"message": "x"}, "operator " + REPAIRS, NO_NODE_YET),
    status("bind again", INSTANCES, "vm", BOUND, {"nodeName": "mac-b"}, "operator " + REPAIRS, BINDS),
    status("unbind", INSTANCES, "vm", BOUND, {"nodeName": None}, "operator " + REPAIRS, BINDS),
    status("status", INSTANCES, "vm", BOUND, {"phase": "Error"}, "operator mac-a " + REPAIRS, REPORTS),
    patch("release", INSTANCES, "vm", {**BOUND, **DELETING}, RELEASE, "operator mac-a " + REPAIRS, RELEASES),
    patch("release without node", INSTANCES, "vm", {**VM, **DELETING}, RELEASE, "operator " + REPAIRS, RELEASES),
    patch("release what is not deleted", INSTANCES, "vm", {**BOUND, **KEPT}, RELEASE, REPAIRS, RELEASES),
    patch("release and more", INSTANCES, "vm", {**BOUND, **DELETING},
          {"metadata": {"finalizers": None, "labels": {"a": "b"}}}, "operator " + REPAIRS, ""),
    patch("release another's finalizer", INSTANCES, "vm", {**BOUND, "finalizers": [FINALIZER, "x.org/y"]},
          {"metadata": {"finalizers": [FINALIZER]}}, "operator shim editor wide " + REPAIRS, NOT_MINE),
    Try("delete instance", "delete", INSTANCES, "vm", BOUND, {}, "operator shim editor wide admin"),
    # Nodes
    Try("join as mac-a", "create", NODES, "mac-a", None, {}, "joiner mac-a editor wide admin",
        "an agent makes the AnkaNode of its own node alone"),
    patch("node spec", NODES, "mac-a", NODE, {"spec": {"maxVmCount": 5}}, "shim editor wide " + REPAIRS),
    status("node report", NODES, "mac-a", NODE, {"cpuCount": 9}, "mac-a " + REPAIRS, NODE_REPORTS),
    status("node report taken away", NODES, "mac-a", NODE, {"ipAddress": None}, "mac-a " + REPAIRS, NODE_REPORTS),
    status("node state", NODES, "mac-a", NODE, {"state": "Offline"}, "operator " + REPAIRS, JUDGES),
    status("who may update", NODES, "mac-a", NODE, {"updateApproved": "2"}, "operator " + REPAIRS, JUDGES),
    status("what rules want", NODES, "mac-a", NODE, RULED, "operator " + REPAIRS, JUDGES),
    status("node conditions", NODES, "mac-a", NODE, {"conditions": None}, "operator " + REPAIRS, JUDGES),
    status("node state and report", NODES, "mac-a", NODE, {"state": "Offline", "cpuCount": 9}, REPAIRS, ""),
    Try("delete node", "delete", NODES, "mac-a", NODE, {}, "shim mac-a editor wide admin",
        "an agent deletes the AnkaNode of its own node alone"),
    Try("first heartbeat of mac-a", "create", LEASES, "mac-a", None, LEASE["spec"], "mac-a editor admin",
        "an agent writes the Lease of its own node alone"),
    patch("heartbeat of mac-a", LEASES, "mac-a", LEASE, {"spec": {"leaseDurationSeconds": 50}}, "mac-a editor admin",
          "an agent writes the Lease of its own node alone"),
    patch("the leader's Lease", LEASES, "anka-operator", LEASE, {"spec": {"holderIdentity": "x"}},
          "operator editor admin"),
    Try("Event about mac-a", "create", EVENTS, "e", None, about("AnkaNode", "mac-a"),
        "operator mac-a editor admin", TELLS),
    Try("Event about an instance", "create", EVENTS, "e", None, about("AnkaInstance", "mac-a"), "operator editor admin",
        TELLS),
    # Templates, groups, distributions
    Try("create template", "create", TEMPLATES, "t", None, {}, "operator editor wide admin"),
    status("template status", TEMPLATES, "t", EMPTY, {"name": "x"}, "operator " + REPAIRS, OPERATOR_ONLY),
    Try("delete template", "delete", TEMPLATES, "t", EMPTY, {}, "operator editor wide admin"),
    Try("create group", "create", GROUPS, "ios", None, {}, "shim editor wide admin"),
    patch("group spec", GROUPS, "ios", EMPTY, {"spec": {"description": "x"}}, "shim editor wide " + REPAIRS),
    status("group status", GROUPS, "ios", EMPTY, {"nodeCount": 3}, "operator " + REPAIRS, OPERATOR_ONLY),
    Try("delete group", "delete", GROUPS, "ios", EMPTY, {}, "shim editor wide admin"),
    Try("create distribution", "create", DISTRIBUTIONS, "d", None, DISTRIBUTION["spec"], "shim editor wide admin"),
    patch("distribution spec", DISTRIBUTIONS, "d", DISTRIBUTION, {"spec": {"cancelled": True}},
          "shim editor wide " + REPAIRS),
    status("distribution status", DISTRIBUTIONS, "d", DISTRIBUTION, {"phase": "Done"}, "operator " + REPAIRS,
           OPERATOR_ONLY),
    # Images
    Try("create save", "create", SAVES, "s", None, SAVE["spec"], "shim editor wide admin"),
    status("save gets its node", SAVES, "s", SAVE, {"nodeName": "mac-a"}, "operator " + REPAIRS, BINDS),
    status("save status without node", SAVES, "s", SAVE, {"registry": "x"}, "operator " + REPAIRS, NO_NODE_YET),
    status("save status", SAVES, "s", {**SAVE, "status": {"nodeName": "mac-a"}}, {"phase": "Done"},
           "operator mac-a " + REPAIRS, REPORTS),
    Try("delete save", "delete", SAVES, "s", SAVE, {}, "operator editor wide admin"),
    # Not ours to give
    # The operator may where it is to hand it out (rbac-secrets.yaml), here that is; agents: test_secret_rights.
    Try("read a Secret", "get", SECRETS, "pw", SECRET, {}, "operator editor admin"),
]  # fmt: skip


@pytest.mark.parametrize("case", TRIES, ids=lambda case: case.name)
async def test_who_may(case: Try, clients: dict[str, KubeClient]) -> None:
    admin = clients["admin"]
    may: list[str] = []
    refusals: dict[str, str] = {}
    for actor in ACTORS:
        if case.before is None:
            await absent(admin, case.resource, case.object_name, case.namespace)
        else:
            await fresh(admin, case.resource, case.object_name, case.namespace, case.before)
        was = await seen(admin, case)
        try:
            await case.do(clients[actor])
            may.append(actor)
        except Forbidden as refused:
            refusals[actor] = refused.message
            assert await seen(admin, case) == was
    await absent(admin, case.resource, case.object_name, case.namespace)
    assert may == [actor for actor in ACTORS if actor in case.allowed.split()], refusals
    by_policy = {actor: text for actor, text in refusals.items() if "ValidatingAdmissionPolicy" in text}
    for actor, text in by_policy.items():
        assert case.says in text, (actor, text)
        assert "\n" not in text
    # Whom RBAC lets write a status, only the policy stops: without this the table would prove RBAC alone.
    if case.status:
        assert {"mac-b", "wide"} - set(by_policy) <= ({"mac-b"} if case.resource in NOT_OF_AGENTS else set())


NOT_OF_AGENTS = (TEMPLATES, GROUPS, DISTRIBUTIONS)


async def seen(admin: KubeClient, case: Try) -> str | None:
    with suppress(NotFound):
        found = await admin.get(case.resource, case.object_name, case.namespace)
        return json.dumps(case.resource.dump(found), sort_keys=True, default=str)
    return None


async def test_a_status_write_reaches_no_finalizer(clients: dict[str, KubeClient]) -> None:
    await fresh(clients["admin"], INSTANCES, "vm", HERE, {**BOUND, **KEPT})
    body = {"metadata": {"finalizers": None, "labels": {"a": "b"}}, "spec": {"priority": 1}, "status": {"message": "x"}}
    await clients["mac-a"].patch(INSTANCES, "vm", body, HERE, subresource="status")
    after = await clients["admin"].get(INSTANCES, "vm", HERE)
    assert (after.metadata.finalizers, after.spec.priority, after.status.message) == ([FINALIZER], 1000, "x")
    await absent(clients["admin"], INSTANCES, "vm", HERE)


async def test_other_leases_are_nobodys_business_of_ours(clients: dict[str, KubeClient]) -> None:
    """The policy of heartbeats, which fails closed, looks at one namespace only."""
    await clients["editor"].create(LEASES, {"metadata": {"name": "other"}, "spec": {}}, "default")
    await clients["editor"].delete(LEASES, "other", "default")


# Tokens, and the ServiceAccounts that they are of

OTHER_AGENT = "an agent asks for tokens of its own ServiceAccount alone"
NOT_MADE = "a join token gets tokens of the ServiceAccount that it made, and of no other"
JOINED = "AnkaNode mac-a has joined already: a join token has no say in it any more"
TOKENS = [
    # whose, with its uid shown, seconds, whether its agent has reported, who may, what else a policy says
    ("of a Mac", False, 3600, True, "mac-a editor admin", {"mac-b": OTHER_AGENT}),
    ("of a Mac by its uid", True, 3600, True, "mac-a editor admin", {"mac-b": OTHER_AGENT, "joiner": JOINED}),
    ("of a new Mac", False, 3600, False, "mac-a editor admin", {"mac-b": OTHER_AGENT, "joiner": NOT_MADE}),
    ("of a new Mac by its uid", True, 3600, False, "joiner mac-a editor admin", {"mac-b": OTHER_AGENT}),
    ("for two hours", True, 7200, False, "mac-a editor admin",
     {"joiner": "spec.expirationSeconds: at most 3600 with a join token"}),
    ("for two months", True, 5_184_000, False, "editor admin", {"mac-a": "spec.expirationSeconds: at most 2592000"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("by_uid", "seconds", "reported", "allowed", "says"), [row[1:] for row in TOKENS], ids=[row[0] for row in TOKENS]
)
async def test_who_gets_a_token(
    by_uid: bool,
    seconds: int,
    reported: bool,
    allowed: str,
    says: dict[str, str],
    clients: dict[str, KubeClient],
) -> None:
    admin = clients["admin"]
    await fresh(admin, NODES, "mac-a", None, {"status": {"agentVersion": "1"}} if reported else {})
    account = await admin.get(SERVICE_ACCOUNTS, "node-mac-a", "anka-nodes")
    shown = {"metadata": {"annotations": {ACCOUNT_UID: account.metadata.uid}}} if by_uid else {}
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": seconds}}
    may, refusals = [], {}
    for actor in ACTORS:
        try:
            await clients[actor].create_subresource(
                SERVICE_ACCOUNTS, "node-mac-a", "token", {**body, **shown}, "anka-nodes"
            )
            may.append(actor)
        except Forbidden as refused:
            refusals[actor] = refused.message
    await absent(admin, NODES, "mac-a", None)
    assert may == [actor for actor in ACTORS if actor in allowed.split()], refusals
    for actor, words in says.items():
        assert words in refusals[actor]


def owner(name: str, uid: str | None) -> Json:
    return {"apiVersion": "anka.veertu.com/v1alpha1", "kind": "AnkaNode", "name": name, "uid": uid or "u"}


WRONG: dict[str, tuple[Json, str]] = {
    "nobody's": ({}, "which are owned by the AnkaNode of that name"),
    "another's": ({"ownerReferences": [owner("mac-d", None)]}, "which are owned by the AnkaNode of that name"),
    "of no kind of ours": (
        {"ownerReferences": [{**owner("mac-c", None), "apiVersion": "v1"}]}, "which are owned by the AnkaNode"
    ),
    "of a node that it did not make": (
        {"ownerReferences": [owner("mac-c", None)]}, "the ServiceAccount of an AnkaNode that it made, and of no other"
    ),
    "with more": (
        {"ownerReferences": [owner("mac-c", None)], "labels": {"a": "b"}}, "without secrets, labels and annotations"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
async def test_a_join_token_makes_no_other_service_account(case: str, clients: dict[str, KubeClient]) -> None:
    metadata, says = WRONG[case]
    if "that it made" in says:
        await fresh(clients["admin"], NODES, "mac-c", None, {})
    with pytest.raises(Forbidden, match=says):
        await clients["joiner"].create(
            SERVICE_ACCOUNTS, {"metadata": {"name": "node-mac-c", **metadata}}, "anka-nodes", dry_run=True
        )
    await absent(clients["admin"], NODES, "mac-c", None)


@pytest.mark.parametrize(("reported", "allowed"), [(False, "joiner editor admin"), (True, "editor admin")])
async def test_who_makes_the_service_account_of_a_node(
    reported: bool, allowed: str, clients: dict[str, KubeClient]
) -> None:
    """Once a node has reported, not even its maker: its ServiceAccount was deleted to shut it out."""
    admin = clients["admin"]
    await fresh(admin, NODES, "mac-c", None, {"status": {"agentVersion": "1"}} if reported else {})
    node = await admin.get(NODES, "mac-c")
    body = {"metadata": {"name": "node-mac-c", "ownerReferences": [owner("mac-c", node.metadata.uid)]}}
    may = []
    for actor in ACTORS:
        with suppress(Forbidden):
            await clients[actor].create(SERVICE_ACCOUNTS, body, "anka-nodes", dry_run=True)
            may.append(actor)
    await absent(admin, NODES, "mac-c", None)
    assert may == [actor for actor in ACTORS if actor in allowed.split()]


async def test_a_join_token_reads_nothing(clients: dict[str, KubeClient]) -> None:
    with pytest.raises(Forbidden):
        await clients["joiner"].get(SERVICE_ACCOUNTS, "node-mac-a", "anka-nodes")
    with pytest.raises(Forbidden):
        await clients["joiner"].get(NODES, "mac-a")
