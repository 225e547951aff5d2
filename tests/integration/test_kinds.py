"""Our kinds as the real apiserver serves them: defaults, selectors, policies, explanations."""

import base64
import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from anka_crds.api import KINDS, AnkaInstance, KubeObject, NodeGroup, Phase
from anka_crds.api.meta import FINALIZER
from localkube.controlplane import KubernetesCluster
from localkube.errors import DevError
from support.agents import until
from support.kinds import NAMESPACE, ROOT, instance

pytestmark = pytest.mark.integration
IN = f"-n{NAMESPACE}"
API = "/apis/anka.veertu.com/v1alpha1"


@pytest.fixture
def made(served_kinds: KubernetesCluster) -> Iterator[KubernetesCluster]:
    """What a test makes in this cluster is taken away after it: an operator of another test must not find it."""
    yield served_kinds
    left = json.loads(served_kinds.kubectl.run("get", "ankainstances", IN, "-ojson"))["items"]
    for item in left:
        name = item["metadata"]["name"]
        served_kinds.kubectl.run("delete", "ankainstance", name, IN, "--wait=false")
        if item["metadata"].get("finalizers"):
            patch = '--patch={"metadata":{"finalizers":null}}'
            served_kinds.kubectl.run("patch", "ankainstance", name, IN, "--type=merge", patch)


def created(cluster: KubernetesCluster, manifest: str) -> AnkaInstance:
    return AnkaInstance.from_api(json.loads(cluster.kubectl.run("create", "-ojson", "-f-", stdin=manifest)))


def names(cluster: KubernetesCluster, selector: str) -> list[str]:
    out = cluster.kubectl.run("get", "ankainstances", IN, f"--field-selector={selector}", "-ojson")
    return [item["metadata"]["name"] for item in json.loads(out)["items"]]


def test_definitions_pass_strict_validation(served_kinds: KubernetesCluster) -> None:
    options = ("--server-side", "--validate=strict", "--dry-run=server", f"--filename={ROOT / 'crds'}")
    out = served_kinds.kubectl.run("apply", *options)
    assert out.count("serverside-applied") == len(KINDS)


def test_a_new_instance_is_pending_before_any_controller_wrote(made: KubernetesCluster) -> None:
    answer = created(made, instance("new", externalId="job-1"))
    got = AnkaInstance.from_api(json.loads(made.kubectl.run("get", "ankainstance", "new", IN, "-ojson")))
    for seen in (answer, got):
        assert seen.status.phase is Phase.SCHEDULING
        assert seen.status.observed_generation == -1
        (ready,) = seen.status.conditions
        assert (ready.type, ready.status, ready.reason) == ("Ready", "Unknown", "Pending")
        assert seen.metadata.finalizers == [FINALIZER]
        assert seen.spec.priority == 1000


def test_selectors_find_what_no_controller_wrote(made: KubernetesCluster) -> None:
    since = json.loads(made.kubectl.run("get", "--raw", f"{API}/ankainstances?limit=1"))["metadata"]["resourceVersion"]
    created(made, instance("found", externalId="job-2"))
    assert names(made, "status.phase=Scheduling,metadata.name=found") == ["found"]
    assert names(made, "spec.externalId=job-2") == ["found"]
    assert names(made, "status.nodeName=mac-1") == []
    query = f"watch=1&timeoutSeconds=1&resourceVersion={since}&fieldSelector=status.phase%3DScheduling"

    def watched() -> list[tuple[str, str]]:
        """What a watch from then on shows within its second, which a busy apiserver may need for less."""
        lines = made.kubectl.run("get", "--raw", f"{API}/ankainstances?{query}").splitlines()
        return [(event["type"], event["object"]["metadata"]["name"]) for event in map(json.loads, lines)]

    until(lambda: ("ADDED", "found") in watched())
    # A bind names the node and leaves the rest of the default as it is.
    bind = '--patch={"status":{"nodeName":"mac-1"}}'
    made.kubectl.run("patch", "ankainstance", "found", IN, "--subresource=status", "--type=merge", bind)
    assert names(made, "status.nodeName=mac-1,status.phase=Scheduling") == ["found"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (None, [FINALIZER]),
        ([], [FINALIZER]),
        (["example.com/mine"], ["example.com/mine", FINALIZER]),
        ([FINALIZER], [FINALIZER]),
        ([FINALIZER, "example.com/mine"], [FINALIZER, "example.com/mine"]),
    ],
)
def test_every_instance_gets_the_finalizer_once(served_kinds: KubernetesCluster, given: Any, kept: list[str]) -> None:
    manifest = json.loads(instance("finalized"))
    if given is not None:
        manifest["metadata"]["finalizers"] = given
    out = served_kinds.kubectl.run("create", "--dry-run=server", "-ojson", "-f-", stdin=json.dumps(manifest))
    assert json.loads(out)["metadata"]["finalizers"] == kept


def test_other_kinds_get_none(served_kinds: KubernetesCluster) -> None:
    group = json.dumps({"apiVersion": "anka.veertu.com/v1alpha1", "kind": "NodeGroup", "metadata": {"name": "plain"}})
    made = json.loads(served_kinds.kubectl.run("create", "--dry-run=server", "-ojson", "-f-", stdin=group))
    assert "finalizers" not in made["metadata"]
    assert NodeGroup.from_api(made).spec.fallback_group is None


def test_the_policy_on_metadata_never_holds_a_finalizer(made: KubernetesCluster) -> None:
    """An object with bad metadata, from before the policy: all but its metadata can still be changed."""
    policy = "validatingadmissionpolicybinding/anka-instance-metadata"
    binding = made.kubectl.run("get", policy, "-oyaml")
    bad = instance("old", metadata={"job": {"id": 1}})
    made.kubectl.run("delete", policy)
    try:
        until(lambda: not refusal(lambda: created(made, bad)), what="the policy is not in force")
    finally:
        made.kubectl.run("apply", "--server-side", "-f-", stdin=_without_server_fields(binding))
    merge = ("patch", "ankainstance", "old", IN, "--type=merge")
    worse = (*merge, "--dry-run=server", '--patch={"spec":{"metadata":{"more":[]}}}')
    said = until(lambda: refusal(lambda: made.kubectl.run(*worse)), what="the policy is in force again")
    # The first of them that is wrong is named.
    assert "must be a string, an integer or a boolean" in said
    made.kubectl.run(*merge, '--patch={"spec":{"priority":7}}')
    made.kubectl.run(*merge, '--patch={"metadata":{"finalizers":null}}')


def refusal(act: Callable[[], object]) -> str:
    """Why it was refused; empty if it was not."""
    try:
        act()
    except DevError as error:
        return str(error)
    return ""


def _without_server_fields(text: str) -> str:
    return "\n".join(
        line
        for line in text.splitlines()
        if not line.strip().startswith(("uid:", "resourceVersion:", "creationTimestamp:", "generation:"))
    )


def test_the_longest_script_is_within_the_cost_limit(served_kinds: KubernetesCluster) -> None:
    script = base64.encodebytes(os.urandom(510_000)).decode()
    assert 680_000 < len(script) <= 700_000
    manifest = instance("long", startupScript={"content": script})
    served_kinds.kubectl.run("create", "--dry-run=server", "-oname", "-f-", stdin=manifest)


@pytest.mark.parametrize("model", KINDS, ids=lambda model: model.__name__)
def test_kubectl_explains_every_field(model: type[KubeObject], served_kinds: KubernetesCluster) -> None:
    """`kubectl explain` prints what the apiserver publishes."""

    def published() -> Any:
        """A moment after the kind is served."""
        document = json.loads(served_kinds.kubectl.run("get", "--raw", f"/openapi/v3{API}"))
        return document["components"]["schemas"].get(f"com.veertu.anka.v1alpha1.{model.__name__}")

    schema = until(published, what="what the apiserver publishes of it")
    silent = [path for path, text in described(schema) if len(text) < 17]
    assert silent == []
    for part in [name for name in ("spec", "status") if name in model.model_fields]:
        out = served_kinds.kubectl.run("explain", f"{model.DEFINITION.plural}.{part}")
        assert schema["properties"][part]["description"][:40] in out


def described(node: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for name, child in node.get("properties", {}).items():
        yield f"{path}.{name}", child.get("description", "")
        yield from described(child, f"{path}.{name}")
    if "items" in node:
        yield from described(node["items"], path)


def test_one_category_shows_all(made: KubernetesCluster) -> None:
    created(made, instance("shown"))
    out = made.kubectl.run("get", "anka", "-A")
    assert "ankainstance.anka.veertu.com/shown" in out
    assert out.split("\n")[0].split() == ["NAMESPACE", "NAME", "PHASE", "READY", "NODE", "TEMPLATE", "TAG", "IP", "AGE"]
    wanted = {f"{model.DEFINITION.plural}.anka.veertu.com" for model in KINDS}
    until(lambda: served(made) >= wanted, what="the apiserver tells of all kinds")


def served(cluster: KubernetesCluster) -> set[str]:
    return set(cluster.kubectl.run("api-resources", "--categories=anka", "-oname").split())
