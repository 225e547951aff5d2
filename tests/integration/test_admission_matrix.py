"""Who may write what: every operation tried by every identity, with its real token, against roles and policies."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from anka_agent.identity.tokens import ACCOUNT_UID, OWN_REQUEST
from anka_crds.api import AnkaNode, SaveImage, TemplateDistribution
from anka_crds.api.meta import FINALIZER, REQUESTED_BY
from anka_crds.resources import GROUPS, INSTANCES, NODES, TEMPLATES, resource_of
from anka_crds.rules.lease_usage import USAGE
from anka_dev.cloud import LocalCloud
from anka_dev.cloud.install import ensure_node_account
from anka_kube import merge_patch
from anka_kube.client import KubeClient
from anka_kube.config import load_endpoint
from anka_kube.errors import AlreadyExists, Forbidden, NotFound
from anka_kube.lease import CHALLENGER, LEASES
from anka_kube.resource import Resource
from anka_kube.unstructured import EVENTS, SERVICE_ACCOUNTS, raw_resource

pytestmark = pytest.mark.integration

Json = dict[str, Any]

SAVES = resource_of(SaveImage)
DISTRIBUTIONS = resource_of(TemplateDistribution)
SECRETS = raw_resource("", "v1", "secrets", "Secret", namespaced=True)
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

JOINERS = """
apiVersion: v1
kind: List
items:
  - {apiVersion: v1, kind: ServiceAccount, metadata: {name: mac-a, namespace: anka-joining}}
  - {apiVersion: v1, kind: ServiceAccount, metadata: {name: other, namespace: anka-joining}}
  - {apiVersion: v1, kind: ServiceAccount, metadata: {name: batch, namespace: anka-joining}}
  - {apiVersion: v1, kind: ServiceAccount, metadata: {name: free, namespace: anka-joining}}
  - {apiVersion: v1, kind: ServiceAccount, metadata: {name: any, namespace: anka-joining}}
  - apiVersion: rbac.authorization.k8s.io/v1
    kind: Role
    metadata: {name: any, namespace: anka-joining}
    rules: [{apiGroups: [anka.veertu.com], resources: [ankanodes], verbs: [join]}]
  - apiVersion: rbac.authorization.k8s.io/v1
    kind: RoleBinding
    metadata: {name: any, namespace: anka-joining}
    roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: any}
    subjects: [{kind: ServiceAccount, name: any, namespace: anka-joining}]
  - apiVersion: rbac.authorization.k8s.io/v1
    kind: Role
    metadata: {name: batch, namespace: anka-joining}
    rules:
      - {apiGroups: [anka.veertu.com], resources: [ankanodes], resourceNames: [mac-a, mac-c], verbs: [join]}
      - {apiGroups: [anka.veertu.com], resources: [nodegroups], resourceNames: [ios, ci, a, b], verbs: [join]}
  - apiVersion: rbac.authorization.k8s.io/v1
    kind: RoleBinding
    metadata: {name: batch, namespace: anka-joining}
    roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: batch}
    subjects: [{kind: ServiceAccount, name: batch, namespace: anka-joining}]
  - apiVersion: rbac.authorization.k8s.io/v1
    kind: RoleBinding
    metadata: {name: free, namespace: anka-joining}
    roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: anka-join-freely}
    subjects: [{kind: ServiceAccount, name: free, namespace: anka-joining}]
"""
"""Join tokens of one Mac, of another one; for two Macs by name and four groups; with groups and capacity at will; for
Macs of any name."""
JOIN_TOKENS = ("batch", "free", "other", "any")

ACTORS = ("operator", "shim", "joiner", "mac-a", "mac-b", "editor", "wide", "repairer", "admin")
"""joiner: the join token of mac-a. editor: the role edit of Kubernetes. wide: every usual verb on our kinds.
repairer: anka-repair. admin: system:masters."""


@pytest.fixture(scope="module")
def kubeconfigs(operator_cloud: LocalCloud) -> dict[str, Path]:
    cluster = operator_cloud.cluster
    roles = {"editor": "edit", "wide": "wide", "repairer": "anka-repair"}
    people = [PEOPLE.replace("PERSON", person).replace("ROLE", role) for person, role in roles.items()]
    cluster.kubectl.run("apply", "--filename=-", stdin="---".join([WIDE, *people]))
    accounts = {"operator": ("anka-operator", "anka-system"), "shim": ("anka-shim", "anka-system")}
    cluster.kubectl.run("apply", "--filename=-", stdin=JOINERS)
    accounts |= {"joiner": ("mac-a", "anka-joining")}
    accounts |= {name: (name, "anka-joining") for name in JOIN_TOKENS}
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
            for name in (*ACTORS, *JOIN_TOKENS)
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


async def put_status(
    client: KubeClient, admin: KubeClient, resource: Resource[Any], name: str, namespace: str | None, patch: Json
) -> None:
    """As operator and agents write a status that is written whole; what is stored is read by one who may."""
    stored = resource.dump(await admin.get(resource, name, namespace))
    await client.replace(resource, merge_patch.apply(stored, patch), subresource="status")


ON_A = {"nodeName": "mac-a", "phase": "Started"}
VM: Json = {"spec": {"template": "t"}}
BOUND: Json = {**VM, "status": ON_A}
KEPT: Json = {"finalizers": [FINALIZER]}
RULED: Json = {"keptTemplates": [{"template": "t", "tag": "v1"}]}
UNKEPT: Json = {"unkept": 3}
ASSIGNED: Json = {"assigned": {"saves": False, "distributions": False}}
NODE: Json = {"spec": {"maxVmCount": 2}, "status": {"state": "Active", "cpuCount": 8, "ipAddress": "10.0.0.1"}}
LEASE: Json = {"spec": {"holderIdentity": "mac-a", "leaseDurationSeconds": 40}}
SAVE: Json = {"spec": {"instance": "x", "tag": "v2", "targetTemplate": "t"}}
DISTRIBUTION: Json = {"spec": {"template": "t"}}
NEW_TEMPLATE: Json = {"instance": "x", "tag": "v2", "newTemplateName": "n"}
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

    async def do(self, client: KubeClient, admin: KubeClient) -> None:
        if self.verb == "create":
            content = self.body if self.resource is EVENTS else {"spec": self.body}
            body = {"metadata": {"name": self.object_name}, **content}
            await client.create(self.resource, body, self.namespace)
        elif self.verb == "delete":
            await client.delete(self.resource, self.object_name, self.namespace)
        elif self.verb == "get":
            await client.get(self.resource, self.object_name, self.namespace)
        elif self.status and self.resource.keeps_status:
            await put_status(client, admin, self.resource, self.object_name, self.namespace, self.body)
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
    "status.state, conditions, keptTemplates, unkept, assigned and updateApproved are written by the operator alone "
    "(ServiceAccount anka-system/anka-operator), not by "
)
NODE_REPORTS = (
    "what is reported in status is written by the agent of this node alone "
    "(ServiceAccount anka-nodes/node-mac-a), not by "
)
TELLS = "an agent writes Events about the AnkaNode of its own node alone"
NOT_MINE = "an agent changes nothing here but finalizer anka.veertu.com/vm of what is on its node"
PUSHES = "a push to AnkaTemplate t, which all namespaces share, needs the verb push on it (ClusterRole anka-push), and "
REPAIRS = "repairer admin"
ANOTHERS: Json = {"spec": {"template": "t", "managedBy": "example.com/other"}}
MIRRORED: Json = {**ANOTHERS, "status": ON_A}
NOT_OURS = "spec.managedBy names example.com/other"
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
    # Instances of another controller: whom RBAC lets write, and none of ours
    status("bind another's", INSTANCES, "vm", ANOTHERS, {"nodeName": "mac-a"}, "wide " + REPAIRS, NOT_OURS),
    status("mirror another's", INSTANCES, "vm", MIRRORED, {"phase": "Error"}, "wide " + REPAIRS, NOT_OURS),
    patch("label another's", INSTANCES, "vm", MIRRORED, {"metadata": {"labels": {"a": "b"}}},
          "shim editor wide " + REPAIRS, NOT_OURS),
    patch("release another's", INSTANCES, "vm", {**MIRRORED, **KEPT}, RELEASE, "shim editor wide " + REPAIRS, NOT_OURS),
    # Nodes
    Try("join as mac-a", "create", NODES, "mac-a", None, {}, "joiner mac-a editor wide admin",
        "an agent makes the AnkaNode of its own node alone"),
    patch("node spec", NODES, "mac-a", NODE, {"spec": {"maxVmCount": 5}}, "shim editor wide " + REPAIRS),
    status("node report", NODES, "mac-a", NODE, {"cpuCount": 9}, "mac-a " + REPAIRS, NODE_REPORTS),
    status("node report taken away", NODES, "mac-a", NODE, {"ipAddress": None}, "mac-a " + REPAIRS, NODE_REPORTS),
    status("node state", NODES, "mac-a", NODE, {"state": "Offline"}, "operator " + REPAIRS, JUDGES),
    status("who may update", NODES, "mac-a", NODE, {"updateApproved": "2"}, "operator " + REPAIRS, JUDGES),
    status("what rules want", NODES, "mac-a", NODE, RULED, "operator " + REPAIRS, JUDGES),
    status("what rules want in vain", NODES, "mac-a", NODE, UNKEPT, "operator " + REPAIRS, JUDGES),
    status("what it has to watch", NODES, "mac-a", NODE, ASSIGNED, "operator " + REPAIRS, JUDGES),
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
    Try("create save", "create", SAVES, "s", None, SAVE["spec"], "shim admin", PUSHES),
    Try("create save as a new template", "create", SAVES, "s", None, NEW_TEMPLATE, "shim editor wide admin"),
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
            await case.do(clients[actor], admin)
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
        assert {"mac-b", "wide"} - set(may) - set(by_policy) <= ({"mac-b"} if case.resource in NOT_OF_AGENTS else set())


NOT_OF_AGENTS = (TEMPLATES, GROUPS, DISTRIBUTIONS)


async def seen(admin: KubeClient, case: Try) -> str | None:
    with suppress(NotFound):
        found = await admin.get(case.resource, case.object_name, case.namespace)
        return json.dumps(case.resource.dump(found), sort_keys=True, default=str)
    return None


async def test_a_status_write_reaches_no_finalizer(clients: dict[str, KubeClient]) -> None:
    await fresh(clients["admin"], INSTANCES, "vm", HERE, {**BOUND, **KEPT})
    body = {"metadata": {"finalizers": None, "labels": {"a": "b"}}, "spec": {"priority": 1}, "status": {"message": "x"}}
    await put_status(clients["mac-a"], clients["admin"], INSTANCES, "vm", HERE, body)
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
    node = await admin.get(NODES, "mac-a")
    if reported:
        await knows_that_it_has_joined(clients["joiner"], node)
    else:
        await takes_account(clients["joiner"], "mac-a", node.metadata.uid)
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
    # Two policies refuse it, and the apiserver names either.
    "of no kind of ours": (
        {"ownerReferences": [{**owner("mac-c", None), "apiVersion": "v1"}]},
        "which are owned by the AnkaNode|no finalizers, labels, annotations and owners but its AnkaNode",
    ),
    "of a node that it did not make": (
        {"ownerReferences": [owner("mac-c", None)]}, "the ServiceAccount of an AnkaNode that it made, and of no other"
    ),
    "with more": ({"ownerReferences": [owner("mac-c", None)], "labels": {"a": "b"}}, "no finalizers, labels"),
    "with a finalizer": ({"ownerReferences": [owner("mac-c", None)], "finalizers": ["a.b/c"]}, "no finalizers, labels"),
}  # fmt: skip


async def refuses_account(joiner: KubeClient, node: str, uid: str, says: str) -> None:
    """Return once a join token is told this. Policies with parameters read them from a cache, so it is asked again."""
    body = {"metadata": {"name": f"node-{node}", "ownerReferences": [owner(node, uid)]}}
    async with asyncio.timeout(60):
        while True:
            try:
                await joiner.create(SERVICE_ACCOUNTS, body, "anka-nodes", dry_run=True)
            except Forbidden as refused:
                if says in refused.message:
                    return
            except AlreadyExists:
                pass


async def knows_that_it_has_joined(joiner: KubeClient, node: AnkaNode) -> None:
    await refuses_account(joiner, node.metadata.name, node.metadata.uid, "has joined already")


async def takes_account(joiner: KubeClient, node: str, uid: str | None) -> None:
    """Return once nothing keeps a join token from making this one: no policy knows a node of the test before."""
    body = {"metadata": {"name": f"node-{node}", "ownerReferences": [owner(node, uid)]}}
    async with asyncio.timeout(60):
        while True:
            with suppress(Forbidden):
                with suppress(AlreadyExists):
                    await joiner.create(SERVICE_ACCOUNTS, body, "anka-nodes", dry_run=True)
                return


@pytest.mark.parametrize("case", WRONG)
async def test_a_join_token_makes_no_other_service_account(case: str, clients: dict[str, KubeClient]) -> None:
    metadata, says = WRONG[case]
    if "that it made" in says:
        await fresh(clients["admin"], NODES, "mac-c", None, {})
        await refuses_account(clients["batch"], "mac-c", "another's", "of an AnkaNode that it made")
    else:
        await takes_account(clients["batch"], "mac-c", None)
    with pytest.raises(Forbidden, match=says):
        await clients["batch"].create(
            SERVICE_ACCOUNTS, {"metadata": {"name": "node-mac-c", **metadata}}, "anka-nodes", dry_run=True
        )
    await absent(clients["admin"], NODES, "mac-c", None)


@pytest.mark.parametrize(("reported", "allowed"), [(False, "batch editor admin"), (True, "editor admin")])
async def test_who_makes_the_service_account_of_a_node(
    reported: bool, allowed: str, clients: dict[str, KubeClient]
) -> None:
    """Once a node has reported, not even its maker: its ServiceAccount was deleted to shut it out."""
    admin = clients["admin"]
    await fresh(admin, NODES, "mac-c", None, {"status": {"agentVersion": "1"}} if reported else {})
    node = await admin.get(NODES, "mac-c")
    body = {"metadata": {"name": "node-mac-c", "ownerReferences": [owner("mac-c", node.metadata.uid)]}}
    if reported:
        await knows_that_it_has_joined(clients["batch"], node)
    else:
        await takes_account(clients["batch"], "mac-c", node.metadata.uid)
    may = []
    for actor in ("batch", *ACTORS):
        with suppress(Forbidden):
            await clients[actor].create(SERVICE_ACCOUNTS, body, "anka-nodes", dry_run=True)
            may.append(actor)
    await absent(admin, NODES, "mac-c", None)
    assert may == allowed.split()


async def test_no_token_of_an_account_that_is_a_moment_old(clients: dict[str, KubeClient]) -> None:
    """Policies with parameters do not know yet what another has just created; thieves are waiting for it."""
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 600}}
    admin, stolen = clients["admin"], []

    async def steal(name: str) -> None:
        while True:
            try:
                await clients["any"].create_subresource(SERVICE_ACCOUNTS, name, "token", body, "anka-nodes")
                stolen.append(name)
                return
            except NotFound:
                pass
            except Forbidden:
                return

    for number in range(20):
        name = f"node-young-{number}"
        async with asyncio.TaskGroup() as thieves:
            for _ in range(8):
                thieves.create_task(steal(name))
            await asyncio.sleep(0.02)
            await admin.create(SERVICE_ACCOUNTS, {"metadata": {"name": name}}, "anka-nodes")
        await admin.delete(SERVICE_ACCOUNTS, name, "anka-nodes")
    assert stolen == []


NODE_UID = "7d1c0a1e-0000-4000-8000-000000000000"
EXTRAS: dict[str, Json] = {
    "finalizers": {"finalizers": ["example.com/mine"]},
    "labels": {"labels": {"a": "b"}},
    "annotations": {"annotations": {"a": "b"}},
    "owners": {"ownerReferences": [{"apiVersion": "v1", "kind": "Namespace", "name": "default", "uid": NODE_UID}]},
}
CREATES: list[tuple[str, Resource[Any], str, str | None, Json]] = [
    ("joiner", NODES, "mac-a", None, {"spec": {}}),
    ("mac-a", NODES, "mac-a", None, {"spec": {}}),
    ("mac-a", LEASES, "mac-a", "anka-nodes", LEASE),
    ("mac-a", EVENTS, "e", "default", about("AnkaNode", "mac-a")),
]


@pytest.mark.parametrize("extra", EXTRAS)
@pytest.mark.parametrize(
    ("actor", "resource", "name", "namespace", "content"), CREATES, ids=[f"{row[0]} {row[1].kind}" for row in CREATES]
)
async def test_agents_and_join_tokens_choose_no_metadata(
    actor: str, resource: Resource[Any], name: str, namespace: str | None, content: Json, extra: str,
    clients: dict[str, KubeClient],
) -> None:  # fmt: skip
    """A finalizer would keep a Mac that is to be shut out."""
    await absent(clients["admin"], resource, name, namespace)
    create = clients[actor].create
    await create(resource, {"metadata": {"name": name}, **content}, namespace, dry_run=True)
    with pytest.raises(Forbidden, match="no finalizers, labels, annotations and owners"):
        await create(resource, {"metadata": {"name": name, **EXTRAS[extra]}, **content}, namespace, dry_run=True)


@pytest.mark.parametrize("extra", EXTRAS)
async def test_a_heartbeat_changes_no_metadata(extra: str, clients: dict[str, KubeClient]) -> None:
    await fresh(clients["admin"], LEASES, "mac-a", "anka-nodes", LEASE)
    with pytest.raises(Forbidden, match="no finalizers, labels, annotations and owners"):
        await clients["mac-a"].patch(LEASES, "mac-a", {"metadata": EXTRAS[extra]}, "anka-nodes")
    await absent(clients["admin"], LEASES, "mac-a", "anka-nodes")


A, B, C = "mac-a", "mac-b", "mac-c"
LACKS_NAME, LACKS_GROUP, LACKS_CAPACITY = "it needs the verb join on AnkaNode", "on each of NodeGroup", "/capacity"
NEW: list[tuple[str, str, Json, str]] = [
    # whose token, which AnkaNode, its spec, what is said to that
    ("joiner", A, {}, ""),
    ("joiner", A, {"maxVmCount": 2, "capacityMode": "number", "displayName": "Mac A", "drainMode": True}, ""),
    ("joiner", B, {}, LACKS_NAME),
    ("joiner", "mac", {}, LACKS_NAME),
    ("joiner", "mac-a.b", {}, LACKS_NAME),
    ("joiner", "node-mac-a", {}, LACKS_NAME),
    ("joiner", A, {"groups": ["ios"]}, LACKS_GROUP),
    ("joiner", A, {"maxVmCount": 3}, LACKS_CAPACITY),
    ("joiner", A, {"maxVmCount": 256}, LACKS_CAPACITY),
    ("joiner", A, {"capacityMode": "resource"}, LACKS_CAPACITY),
    ("other", A, {}, LACKS_NAME),
    ("batch", A, {}, ""),
    ("batch", C, {"groups": ["ios", "ci"]}, ""),
    ("batch", C, {"groups": ["ios", "ci", "a", "b"]}, ""),
    ("batch", "batch", {}, ""),
    ("batch", B, {}, LACKS_NAME),
    *(("batch", C, {"groups": [*["ios", "ci", "a", "b"][:place], "android"]}, LACKS_GROUP) for place in range(4)),
    ("batch", C, {"groups": ["ios", "ci", "a", "b", "android"]}, "to join more than four"),
    ("batch", C, {"maxVmCount": 3}, LACKS_CAPACITY),
    ("free", "free", {"maxVmCount": 256, "capacityMode": "resource", "groups": [f"g{n}" for n in range(64)]}, ""),
    ("free", A, {}, LACKS_NAME),
    ("any", B, {}, ""),
    ("any", B, {"groups": ["ios"]}, LACKS_GROUP),
]


@pytest.mark.parametrize(("actor", "name", "spec", "says"), NEW)
async def test_which_macs_a_join_token_lets_in(
    actor: str, name: str, spec: Json, says: str, clients: dict[str, KubeClient]
) -> None:
    await absent(clients["admin"], NODES, name, None)
    create = clients[actor].create(NODES, {"metadata": {"name": name}, "spec": spec}, dry_run=True)
    if not says:
        await create
        return
    with pytest.raises(Forbidden, match=says):
        await create


async def test_a_join_token_makes_no_macs_by_the_hundred(clients: dict[str, KubeClient]) -> None:
    """Nor with a name that the API chooses."""
    body: Json = {"metadata": {"generateName": "mac-a"}, "spec": {}}
    with pytest.raises(Forbidden, match=LACKS_NAME):
        await clients["joiner"].create(NODES, body, dry_run=True)


@pytest.mark.parametrize(("actor", "allowed"), [("joiner", True), ("batch", True), ("other", False), ("free", False)])
async def test_whose_account_and_token_a_join_token_gets(
    actor: str, allowed: bool, clients: dict[str, KubeClient]
) -> None:
    """Without the name of the Mac not even with the uid of its ServiceAccount."""
    admin = clients["admin"]
    await fresh(admin, NODES, "mac-a", None, {})
    node, account = await admin.get(NODES, "mac-a"), await admin.get(SERVICE_ACCOUNTS, "node-mac-a", "anka-nodes")
    await takes_account(clients["joiner"], "mac-a", node.metadata.uid)
    made = {"metadata": {"name": "node-mac-a", "ownerReferences": [owner("mac-a", node.metadata.uid)]}}
    asked = {
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 600},
        "metadata": {"annotations": {ACCOUNT_UID: account.metadata.uid}},
    }  # fmt: skip
    ask = clients[actor].create_subresource(SERVICE_ACCOUNTS, "node-mac-a", "token", asked, "anka-nodes")
    make = clients[actor].create(SERVICE_ACCOUNTS, made, "anka-nodes", dry_run=True)
    with nullcontext() if allowed else pytest.raises(Forbidden, match=LACKS_NAME):
        await ask
    with pytest.raises(AlreadyExists) if allowed else pytest.raises(Forbidden, match=LACKS_NAME):
        await make
    await absent(admin, NODES, "mac-a", None)


@pytest.mark.parametrize("reported", [True, False])
async def test_a_join_token_does_not_pass_for_an_agent(reported: bool, clients: dict[str, KubeClient]) -> None:
    """With the label that spares agents the policies about join tokens, it would get round them."""
    admin = clients["admin"]
    await fresh(admin, NODES, "mac-a", None, {"status": {"agentVersion": "1"}} if reported else {})
    node, account = await admin.get(NODES, "mac-a"), await admin.get(SERVICE_ACCOUNTS, "node-mac-a", "anka-nodes")
    labels = {OWN_REQUEST: "true"}
    asked = {
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 600},
        "metadata": {"labels": labels, "annotations": {ACCOUNT_UID: account.metadata.uid}},
    }  # fmt: skip
    with pytest.raises(Forbidden, match=f"without the label {OWN_REQUEST}"):
        await clients["joiner"].create_subresource(SERVICE_ACCOUNTS, "node-mac-a", "token", asked, "anka-nodes")
    made = {
        "metadata": {"name": "node-mac-a", "ownerReferences": [owner("mac-a", node.metadata.uid)], "labels": labels}
    }
    with pytest.raises(Forbidden, match="no finalizers, labels"):
        await clients["joiner"].create(SERVICE_ACCOUNTS, made, "anka-nodes", dry_run=True)
    # The agent itself has it.
    await clients["mac-a"].create_subresource(SERVICE_ACCOUNTS, "node-mac-a", "token", asked, "anka-nodes")
    await absent(admin, NODES, "mac-a", None)


async def test_a_join_token_gets_no_token_of_what_is_no_mac(clients: dict[str, KubeClient]) -> None:
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 600}}
    # Several policies refuse it, and the apiserver names any.
    with pytest.raises(Forbidden, match=f"{LACKS_NAME}|{NOT_MADE}"):
        await clients["any"].create_subresource(SERVICE_ACCOUNTS, "default", "token", body, "anka-nodes")


@pytest.mark.parametrize(("key", "allowed"), [(CHALLENGER, True), (USAGE, True), (f"{USAGE}x", False)])
async def test_a_heartbeat_has_two_annotations(key: str, allowed: bool, clients: dict[str, KubeClient]) -> None:
    await fresh(clients["admin"], LEASES, "mac-a", "anka-nodes", LEASE)
    patch = {"metadata": {"annotations": {key: "x"}}}
    if allowed:
        await clients["mac-a"].patch(LEASES, "mac-a", patch, "anka-nodes")
    else:
        with pytest.raises(Forbidden, match="no finalizers, labels, annotations and owners"):
            await clients["mac-a"].patch(LEASES, "mac-a", patch, "anka-nodes")
    await absent(clients["admin"], LEASES, "mac-a", "anka-nodes")


async def test_a_join_token_reads_nothing(clients: dict[str, KubeClient]) -> None:
    with pytest.raises(Forbidden):
        await clients["joiner"].get(SERVICE_ACCOUNTS, "node-mac-a", "anka-nodes")
    with pytest.raises(Forbidden):
        await clients["joiner"].get(NODES, "mac-a")


ASKED: dict[Resource[Any], Json] = {
    INSTANCES: VM,
    SAVES: {"spec": NEW_TEMPLATE},
    DISTRIBUTIONS: DISTRIBUTION,
    GROUPS: EMPTY,
}
"""What REST makes."""
BY_JENKINS: Json = {"annotations": {REQUESTED_BY: "jenkins"}}
NOT_THE_SHIM = "annotation anka.veertu.com/requested-by is set by the API shim alone"


@pytest.mark.parametrize("resource", ASKED, ids=lambda resource: resource.kind)
@pytest.mark.parametrize("actor", ["shim", "editor", "wide", "admin"])
async def test_the_shim_alone_says_who_asked(
    actor: str, resource: Resource[Any], clients: dict[str, KubeClient]
) -> None:
    """Whoever may repair can say so, too, such as a restored backup."""
    namespace = HERE if resource.namespaced else None
    await absent(clients["admin"], resource, "asked", namespace)
    body = {"metadata": {"name": "asked", **BY_JENKINS}, **ASKED[resource]}
    with nullcontext() if actor in ("shim", "admin") else pytest.raises(Forbidden, match=NOT_THE_SHIM):
        await clients[actor].create(resource, body, namespace, dry_run=True)


@pytest.mark.parametrize("annotation", ["root", None, "jenkins"])
@pytest.mark.parametrize("actor", ["operator", "shim", "editor", "wide", "repairer"])
async def test_who_asked_stays(actor: str, annotation: str | None, clients: dict[str, KubeClient]) -> None:
    """Another change of the object is not looked at."""
    admin = clients["admin"]
    await fresh(admin, INSTANCES, "vm", HERE, BOUND)
    await admin.patch(INSTANCES, "vm", {"metadata": BY_JENKINS}, HERE)
    patch = {"metadata": {"annotations": {REQUESTED_BY: annotation}, "labels": {"a": "b"}}}
    may = actor in ("shim", "repairer") or annotation == "jenkins"
    with nullcontext() if may else pytest.raises(Forbidden, match=NOT_THE_SHIM):
        await clients[actor].patch(INSTANCES, "vm", patch, HERE)
    await absent(admin, INSTANCES, "vm", HERE)
