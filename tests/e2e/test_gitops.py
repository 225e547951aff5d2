"""The cloud as a GitOps tool sees it: what it applied stays as it is, and what it is told of it is true.

A scenario: a repository is applied, drifts, is brought back, grows and is pruned."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from anka_crds.api import KINDS
from anka_dev.cloud import LocalCloud
from anka_dev.repository import ROOT
from localkube.errors import DevError
from support.checkers import Kstatus
from support.cloud import FAST_MAC, TAG

pytestmark = [pytest.mark.e2e, pytest.mark.scenario]

PATIENCE_SECONDS = 60.0
MANAGER = "--field-manager=gitops"
FOLDER = ROOT / "examples" / "gitops" / "build-cloud"
REPOSITORY = sorted(FOLDER / name for name in yaml.safe_load((FOLDER / "kustomization.yaml").read_text())["resources"])
UUID = "c12ccfa5-8757-411e-9505-128190e9854e"
# The request to save ends with its instance gone: one that Git wants back each time.
EXAMPLES = sorted(path for path in (ROOT / "examples").glob("*.yaml") if path.name != "save-image.yaml")
OURS = ",".join(kind.DEFINITION.plural for kind in KINDS)

Object = dict[str, Any]


class Git:
    """Applies as a GitOps tool does, and looks at what comes of it."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud

    def apply(self, *paths: Path, force: bool = False, dry: bool = False) -> str:
        options = [MANAGER, *(["--force-conflicts"] if force else []), *(["--dry-run=server"] if dry else [])]
        return self.cloud.kubectl.run("apply", "--server-side", *options, *map(_flag, paths))

    def differs(self, *paths: Path) -> bool:
        """Whether applying them would change anything. kubectl reads twice, and says so too when a controller has
        written between: what Git differs in stays so, and that does not."""
        try:
            self.cloud.kubectl.run("diff", "--server-side", "--force-conflicts", MANAGER, *map(_flag, paths))
        except DevError as error:
            if not str(error).endswith(": exit code 1"):
                raise
            return True
        return False

    def until_nothing_differs(self, *paths: Path) -> None:
        self.until(lambda: not self.differs(*paths))

    def objects(self, *paths: Path) -> list[Object]:
        """As the API has them: all that are in these files."""
        wanted = {(one["kind"], one["metadata"]["name"]) for path in paths for one in _manifests(path)}
        found = [one for one in self.everything() if (one["kind"], one["metadata"]["name"]) in wanted]
        assert len(found) == len(wanted)
        return found

    def object(self, namespace: str, kind: str, name: str) -> Object:
        where = [f"--namespace={namespace}"] if namespace else []
        found = json.loads(
            self.cloud.kubectl.run("get", kind, name, *where, "--output=json", "--show-managed-fields=true")
        )
        assert isinstance(found, dict)
        return found

    def everything(self) -> list[Object]:
        text = self.cloud.kubectl.run("get", OURS, "-A", "--output=json", "--show-managed-fields=true")
        found: list[Object] = json.loads(text)["items"]
        return found

    def until(self, true: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (found := true()):
            assert time.monotonic() < deadline, self.cloud.kubectl.run("get", OURS, "-A", "--output=wide")
            time.sleep(0.1)
        return found


def _flag(path: Path) -> str:
    return f"--filename={path}"


def _manifests(path: Path) -> list[Object]:
    return list(yaml.safe_load_all(path.read_text()))


def versions(objects: list[Object]) -> dict[str, tuple[int, list[Object]]]:
    """What a write of anything but the status would change, by kind and name: the generation, and who wrote what when.
    The status is the controllers', who write it at any time."""
    return {
        f"{one['kind']} {one['metadata']['name']}": (
            one["metadata"]["generation"],
            [entry for entry in one["metadata"]["managedFields"] if entry.get("subresource") != "status"],
        )
        for one in objects
    }


@pytest.fixture(scope="module")
def git(make_cloud: Callable[[], LocalCloud]) -> Git:
    """An operator, a shim, two Macs; a template with the UUID that the repository names."""
    cloud = make_cloud()
    assert cloud.registry is not None
    cloud.registry.add_template("git", [TAG], size=50_000_000, uuid=UUID)
    cloud.start_operator("--registry-seconds=1")
    cloud.start_shim()
    for name, slots in (("mac-01", 2), ("mac-02", 4)):
        cloud.add_mac(
            name, f"--max-vm-count={slots}", "--heartbeat=1", "--lease-duration=8", "--poll=0.5", **FAST_MAC
        )  # fmt: skip
    cloud.wait_ready()
    return Git(cloud)


@pytest.fixture(scope="module")
def settled(git: Git, kstatus: Kstatus) -> Git:
    """All of it applied, and all of it Current."""
    git.apply(*REPOSITORY, force=True)
    git.apply(*EXAMPLES)
    paths = (*REPOSITORY, *EXAMPLES)
    git.until(lambda: set(kstatus.statuses(git.objects(*paths))) == {"Current"})
    return git


def test_a_repository_becomes_current_and_is_never_called_so_too_early(git: Git, kstatus: Kstatus) -> None:
    # The agents made the AnkaNodes; who applies other values takes those over, once, by force.
    with pytest.raises(DevError, match=r'conflict with "anka-agent".*maxVmCount'):
        git.apply(*REPOSITORY)
    git.cloud.kubectl.run("apply", "--server-side", MANAGER, "--force-conflicts", f"--kustomize={FOLDER}")
    told: set[tuple[str, str]] = set()

    def all_current() -> bool:
        objects = git.objects(*REPOSITORY)
        answers = kstatus.statuses(objects)
        for one, answer in zip(objects, answers, strict=True):
            if one["kind"] == "AnkaInstance":
                told.add((one["status"]["phase"], answer))
        return set(answers) == {"Current"}

    git.until(all_current)
    assert told - {("Scheduling", "InProgress"), ("Pulling", "InProgress")} == {("Started", "Current")}
    holds = json.loads(git.cloud.kubectl.run("get", "ankatemplate", UUID, "--output=json"))["status"]["nodes"]
    assert {"nodeName": "mac-01", "tag": TAG} in holds


def test_applied_again_at_every_moment_it_changes_nothing(git: Git, kstatus: Kstatus) -> None:
    git.apply(*EXAMPLES)
    before = {one["metadata"]["uid"]: one["metadata"]["generation"] for one in git.objects(*EXAMPLES)}

    def done() -> bool:
        # Without force: a conflict would fail.
        git.apply(*EXAMPLES)
        objects = git.objects(*EXAMPLES)
        assert {one["metadata"]["uid"]: one["metadata"]["generation"] for one in objects} == before
        return set(kstatus.statuses(objects)) == {"Current"}

    git.until(done)


def test_what_is_settled_has_no_diff_and_stays_untouched(settled: Git) -> None:
    paths = (*REPOSITORY, *EXAMPLES)
    settled.until_nothing_differs(*paths)
    before = versions(settled.objects(*paths))
    settled.apply(*paths)
    settled.apply(*paths)
    assert versions(settled.objects(*paths)) == before


def test_drift_is_named_and_brought_back(settled: Git) -> None:
    kubectl = settled.cloud.kubectl
    edits = {
        "nodegroup/ios": ("", {"spec": {"displayName": "mine"}}),
        "ankanode/mac-02": ("", {"spec": {"drainMode": True, "maxVmCount": 1}}),
        "ankainstance/runner": ("anka-ci", {"spec": {"displayName": "mine", "nodeLostPolicy": "Fail"}}),
    }
    for what, (namespace, change) in edits.items():
        where = [f"--namespace={namespace}"] if namespace else []
        kubectl.run(
            "patch", what, "--type=merge", "--field-manager=kubectl-edit", f"--patch={json.dumps(change)}", *where
        )
    drifted = ["groups.yaml", "instances.yaml", "macs.yaml"]
    settled.until(lambda: [path.name for path in REPOSITORY if settled.differs(path)] == drifted)
    with pytest.raises(DevError, match='conflict with "kubectl-edit"'):
        settled.apply(*REPOSITORY)
    settled.apply(*REPOSITORY, force=True)
    assert settled.object("anka-ci", "AnkaInstance", "runner")["spec"]["displayName"] == "runner"
    node = settled.object("", "AnkaNode", "mac-02")
    assert node["spec"]["maxVmCount"] == 2
    assert node["spec"]["drainMode"] is True, "what Git says nothing about stays whoever's it is"
    kubectl.run("patch", "ankanode/mac-02", "--type=merge", '--patch={"spec":{"drainMode":false}}')
    settled.cloud.wait_for("ankanode/mac-02", "jsonpath={.status.state}=Active")
    settled.cloud.wait_for("ankainstance/runner", "condition=Ready", namespace="anka-ci")
    settled.until_nothing_differs(*REPOSITORY)


def test_what_a_running_vm_cannot_become_is_refused_as_a_whole(settled: Git, tmp_path: Path) -> None:
    changed = tmp_path / "instances.yaml"
    changed.write_text((FOLDER / "instances.yaml").read_text().replace("tag: vanilla", "tag: other"))
    with pytest.raises(DevError, match="tag can't be changed"):
        settled.apply(changed, force=True)
    settled.until_nothing_differs(*REPOSITORY)


def owned(entry: Object) -> Iterator[str]:
    """Fields of metadata and spec that this manager owns."""
    fields = entry.get("fieldsV1", {})
    yield from (f"spec.{name.removeprefix('f:')}" for name in fields.get("f:spec", {}) if name != ".")
    for part in ("labels", "annotations", "ownerReferences"):
        yield from (f"{part}.{name}" for name in fields.get("f:metadata", {}).get(f"f:{part}", {}) if name != ".")


def test_controllers_own_nothing_of_what_people_wrote(settled: Git) -> None:
    """Of objects that they did not make themselves, controllers own the status, and finalizers."""
    foreign = [
        (one["kind"], one["metadata"]["name"], entry["manager"], field)
        for one in settled.everything()
        for entry in one["metadata"]["managedFields"]
        if entry["manager"] not in ("gitops", "kubectl-edit", "kubectl-patch")
        for field in owned(entry)
        # Made by the Mac's agent when it joined: what Git does not name is still as that agent wrote it.
        if not (one["kind"] == "AnkaNode" and entry["operation"] == "Update" and "subresource" not in entry)
        # Made by the operator from the registry.
        if not (one["kind"] == "AnkaTemplate" and field == "labels.f:anka.veertu.com/mirrored")
    ]
    assert foreign == []
    writers = {entry["manager"] for one in settled.everything() for entry in one["metadata"]["managedFields"]}
    assert {"gitops", "anka-operator", "anka-agent"} <= writers, "else this test looks at nothing"


def test_an_agent_that_starts_again_leaves_git_its_fields(settled: Git) -> None:
    agent = settled.cloud.macs["mac-02"].agent
    assert agent is not None
    agent.stop()
    agent.start().wait_ready(60)
    settled.cloud.wait_for("ankanode/mac-02", "condition=Ready")
    settled.until_nothing_differs(*REPOSITORY)


def test_a_mac_that_is_in_git_first_is_awaited_and_keeps_what_git_says(
    settled: Git, kstatus: Kstatus, tmp_path: Path
) -> None:
    """Its agent has a kubeconfig; a join token would be refused."""
    key = ("", "AnkaNode", "mac-03")
    file = tmp_path / "mac-03.json"
    spec = {"groups": ["general"], "maxVmCount": 1}
    manifest = {"apiVersion": "anka.veertu.com/v1alpha1", "kind": "AnkaNode", "metadata": {"name": "mac-03"}}
    file.write_text(json.dumps(manifest | {"spec": spec}))
    settled.apply(file)
    assert kstatus.statuses([settled.object(*key)]) == ["InProgress"]
    settled.cloud.add_mac("mac-03", "--max-vm-count=4", "--heartbeat=1", "--lease-duration=8", **FAST_MAC)
    settled.until(lambda: kstatus.statuses([settled.object(*key)]) == ["Current"])
    shown = settled.object(*key)["spec"]
    assert (shown["groups"], shown["maxVmCount"]) == (["general"], 1)
    settled.until_nothing_differs(file)
    settled.cloud.kubectl.run("patch", "ankanode", "mac-03", "--type=merge", '--patch={"spec":{"drainMode":true}}')
    # From now on nothing starts there: the operator knows.
    settled.cloud.wait_for("ankanode/mac-03", "jsonpath={.status.state}=Drain Mode")


def test_trouble_is_failed_and_its_end_is_current_again(settled: Git, kstatus: Kstatus, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    job = {"content": "ZXhpdCAzCg==", "monitoring": True, "failHandler": "Stop"}
    metadata = {"name": "broken", "namespace": "anka-ci"}
    spec = {"template": UUID, "tag": TAG, "group": "general", "startupScript": job}
    instance = {"apiVersion": "anka.veertu.com/v1alpha1", "kind": "AnkaInstance", "metadata": metadata, "spec": spec}
    broken.write_text(json.dumps(instance))
    settled.apply(broken)
    seen: list[str] = []

    def ends() -> bool:
        seen.extend(kstatus.statuses(settled.objects(broken)))
        return seen[-1] == "Failed"

    settled.until(ends)
    assert set(seen) <= {"InProgress", "Failed"}
    agent = settled.cloud.macs["mac-02"].agent
    assert agent is not None
    agent.kill()
    mac = ("", "AnkaNode", "mac-02")
    settled.until(lambda: kstatus.statuses([settled.object(*mac)]) == ["Failed"])
    settled.cloud.kubectl.run("delete", "--wait=false", f"--filename={broken}")
    # Its Mac is away, so its VM can't be removed yet.
    assert kstatus.statuses(settled.objects(broken)) == ["Terminating"]
    agent.start()
    settled.until(lambda: kstatus.statuses([settled.object(*mac)]) == ["Current"])
    settled.cloud.wait_for("ankainstance/broken", "delete", namespace="anka-ci")


def test_what_leaves_the_repository_is_pruned_with_its_vm(
    settled: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECTL_APPLYSET", "true")
    kubectl, cloud = settled.cloud.kubectl, settled.cloud
    # Room for two: a Mac has two places.
    for path in (*EXAMPLES, FOLDER / "instances.yaml"):
        kubectl.run("delete", "--ignore-not-found", f"--filename={path}")
    settled.until(lambda: cloud.vm_names() == [])
    folder = tmp_path / "repository"
    folder.mkdir()
    for name in ("kept", "removed"):
        metadata = {"name": name, "namespace": "anka-ci"}
        instance = {"apiVersion": "anka.veertu.com/v1alpha1", "kind": "AnkaInstance", "metadata": metadata}
        (folder / f"{name}.json").write_text(json.dumps(instance | {"spec": {"template": UUID}}))
    apply = ("apply", "--server-side", "--prune", "--applyset=configmaps/cloud", "--namespace=anka-ci")
    kubectl.run(*apply, f"--filename={folder}")
    for name in ("kept", "removed"):
        cloud.wait_for(f"ankainstance/{name}", "condition=Ready", namespace="anka-ci")
    assert len(cloud.vm_names()) == 2
    (folder / "removed.json").unlink()
    kubectl.run(*apply, f"--filename={folder}")
    cloud.wait_for("ankainstance/removed", "delete", namespace="anka-ci")
    assert len(cloud.vm_names()) == 1
    kubectl.run("delete", f"--filename={folder}")
    assert cloud.vm_names() == []
