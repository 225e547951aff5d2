"""The embedded control plane itself, with real processes."""

import json
import os
import signal
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from anka_dev.local_kubernetes import environment
from localkube.controlplane import ControlPlane, ExternalCluster, KubernetesCluster, apply, wait_established
from localkube.controlplane.kubectl import Kubectl
from localkube.errors import DevError
from support.agents import until
from support.cluster import audit_events

pytestmark = pytest.mark.integration
PARTS = {"etcd", "kube-apiserver", "kube-controller-manager"}

CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.test.anka.invalid}
spec:
  group: test.anka.invalid
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}
"""

# Adds a finalizer-like label to every Widget, and refuses big ones.
POLICIES = """
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {name: label-widgets}
spec:
  matchConstraints:
    resourceRules:
      - {apiGroups: [test.anka.invalid], apiVersions: [v1], operations: [CREATE], resources: [widgets]}
  failurePolicy: Fail
  reinvocationPolicy: Never
  mutations:
    - patchType: ApplyConfiguration
      applyConfiguration:
        expression: 'Object{metadata: Object.metadata{labels: {"seen": "yes"}}}'
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata: {name: label-widgets}
spec: {policyName: label-widgets}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: small-widgets}
spec:
  matchConstraints:
    resourceRules:
      - {apiGroups: [test.anka.invalid], apiVersions: [v1], operations: [CREATE], resources: [widgets]}
  failurePolicy: Fail
  validations:
    - {expression: 'object.spec.size < 10', message: too big}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: small-widgets}
spec: {policyName: small-widgets, validationActions: [Deny]}
"""


def widget(name: str, size: int) -> str:
    return json.dumps(
        {
            "apiVersion": "test.anka.invalid/v1",
            "kind": "Widget",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"size": size},
        }
    )


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def widgets(control_plane: KubernetesCluster, tmp_path: Path) -> Iterator[KubernetesCluster]:
    folder = tmp_path / "manifests"
    folder.mkdir()
    (folder / "crd.yaml").write_text(CRD)
    apply(control_plane, folder)
    wait_established(control_plane)
    yield control_plane
    control_plane.kubectl.run("delete", "crd", "widgets.test.anka.invalid")


def answer_to(cluster: KubernetesCluster, manifest: str) -> str:
    """What a dry run makes of it: the labels as JSON, or the refusal."""
    try:
        out = cluster.kubectl.run("create", "--dry-run=server", "-ojson", "-f-", stdin=manifest)
    except DevError as refusal:
        return str(refusal)
    return json.dumps(json.loads(out)["metadata"].get("labels"))


def test_admission_policies_work_both_ways(widgets: KubernetesCluster, tmp_path: Path) -> None:
    small, big = widget("small", 1), widget("big", 99)
    # The kind is served a moment after it is established.
    until(lambda: [answer_to(widgets, manifest) for manifest in (small, big)] == ["null", "null"])
    (tmp_path / "policies.yaml").write_text(POLICIES)
    apply(widgets, tmp_path / "policies.yaml")
    try:
        # Each policy is in force a moment after it is stored, which only its effect shows.
        until(lambda: answer_to(widgets, small) == '{"seen": "yes"}', what="the label")
        until(lambda: answer_to(widgets, big).endswith("too big"), what="the refusal")
    finally:
        widgets.kubectl.run("delete", "-f", str(tmp_path / "policies.yaml"))


def test_a_service_account_may_do_what_rbac_grants_and_no_more(
    control_plane: KubernetesCluster, tmp_path: Path
) -> None:
    admin = control_plane.kubectl
    admin.run("create", "namespace", "rbac-test")
    admin.run("create", "serviceaccount", "robot", "-nrbac-test")
    admin.run("create", "role", "reader", "-nrbac-test", "--verb=list", "--resource=configmaps")
    admin.run("create", "rolebinding", "r", "-nrbac-test", "--role=reader", "--serviceaccount=rbac-test:robot")
    path = control_plane.kubeconfig_for("robot", "rbac-test", tmp_path / "robot.kubeconfig", seconds=600)
    token = tmp_path / "robot.kubeconfig.token"
    assert {stat.S_IMODE(file.stat().st_mode) for file in (path, token)} == {0o600}
    assert f"tokenFile: {token}" in path.read_text()
    robot = Kubectl(path, tmp_path / "cache")

    def names() -> str:
        try:
            return robot.run("get", "configmaps", "-oname")
        except DevError:
            return ""

    # The authorizer hears of the role a moment after it is stored, and a controller fills the namespace.
    until(lambda: "kube-root-ca.crt" in names(), what="what RBAC grants")
    with pytest.raises(DevError, match='User "system:serviceaccount:rbac-test:robot" cannot list resource "secrets"'):
        robot.run("get", "secrets")
    first = token.read_text()
    control_plane.kubeconfig_for("robot", "rbac-test", path, seconds=600)
    assert token.read_text() != first
    # The namespace's controller runs: it takes everything in it along.
    admin.run("delete", "namespace", "rbac-test", "--timeout=60s")


def test_no_service_account_no_kubeconfig(control_plane: KubernetesCluster, tmp_path: Path) -> None:
    with pytest.raises(DevError, match='serviceaccounts "nobody" not found'):
        control_plane.kubeconfig_for("nobody", "default", tmp_path / "k")
    assert list(tmp_path.iterdir()) == []


def test_owned_objects_are_collected(control_plane: KubernetesCluster) -> None:
    kubectl = control_plane.kubectl
    kubectl.run("create", "configmap", "owner")
    uid = kubectl.run("get", "configmap", "owner", "-ojsonpath={.metadata.uid}")
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid}
    owned = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "owned", "namespace": "default", "ownerReferences": [owner]},
    }
    kubectl.run("create", "-f-", stdin=json.dumps(owned))
    kubectl.run("delete", "configmap", "owner")
    kubectl.run("wait", "--for=delete", "configmap/owned", "--timeout=60s")


def test_a_named_kubeconfig_is_used_as_it_is(control_plane: KubernetesCluster, tmp_path: Path) -> None:
    with ExternalCluster(tmp_path, control_plane.kubeconfig) as named:
        assert (named.server, dict(named.pids), named.audit_log) == (control_plane.server, {}, None)
        assert named.ca_file.read_bytes() == control_plane.ca_file.read_bytes()
        named.kubectl.run("get", "namespaces")
    control_plane.kubectl.run("get", "namespaces")


def test_the_audit_log_counts_writes_to_leases_and_nothing_else(own_control_plane: ControlPlane) -> None:
    kubectl = own_control_plane.kubectl
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "audited"}}
    kubectl.run("create", "-f-", "-ndefault", stdin=json.dumps(lease))
    kubectl.run("create", "configmap", "not-audited")
    kubectl.run("delete", "lease/audited", "configmap/not-audited")

    def writes() -> list[str]:
        mine = [line["verb"] for line in audit_events(own_control_plane) if line["objectRef"].get("name") == "audited"]
        return [verb for verb in mine if verb in {"create", "delete"}]

    until(lambda: writes()[-1:] == ["delete"], what="the line of the deletion")
    assert writes() == ["create", "delete"]
    lines = audit_events(own_control_plane)
    assert "RequestReceived" not in {line["stage"] for line in lines}
    assert {line["objectRef"]["apiGroup"] for line in lines} <= {"coordination.k8s.io", "anka.veertu.com"}


def test_kept_data_survives_crash_restart_and_stop(tmp_path: Path, own_control_plane: ControlPlane) -> None:
    """Beside the shared one: two run side by side."""
    with ControlPlane.start(tmp_path, environment(), keep_data=True) as plane:
        assert plane.pids.keys() == PARTS
        assert plane.server != own_control_plane.server
        assert stat.S_IMODE(plane.kubeconfig.stat().st_mode) == 0o600
        plane.kubectl.run("create", "configmap", "kept")
        plane.kubeconfig_for("default", "default", tmp_path / "old.kubeconfig")
        plane.kill("kube-apiserver")
        assert plane.pids.keys() == PARTS - {"kube-apiserver"}
        with pytest.raises(DevError, match="kube-apiserver ended with code 137"):
            plane.check()
        plane.restart("kube-apiserver")
        plane.check()
        plane.kubectl.run("get", "configmap", "kept")
        with pytest.raises(DevError, match=f"is in use by the control plane of process {os.getpid()}"):
            ControlPlane.start(tmp_path, environment(), keep_data=True)
        server, pids = plane.server, dict(plane.pids)
    assert not [pid for pid in pids.values() if alive(pid)]
    with ControlPlane.start(tmp_path, environment(), keep_data=True) as plane:
        assert plane.server == server
        plane.kubectl.run("get", "configmap", "kept")
        # A token of the first run is still good: same authority, same signing key.
        who = Kubectl(tmp_path / "old.kubeconfig", tmp_path / "cache").run("auth", "whoami", "-ojson")
        assert "system:serviceaccount:default:default" in who
    own_control_plane.kubectl.run("get", "namespaces")


@pytest.mark.usefixtures("own_control_plane")
def test_one_begins_as_the_copy_of_another_that_was_stopped(tmp_path: Path) -> None:
    with ControlPlane.start(tmp_path / "first", environment(), keep_data=True) as first:
        first.kubectl.run("create", "configmap", "written-before")
        identity = first.kubeconfig_for("default", "default", tmp_path / "first.kubeconfig")
        token = identity.with_name("first.kubeconfig.token").read_text()
    with ControlPlane.start(tmp_path / "copy", environment(), copy_of=tmp_path / "first") as copy:
        copy.kubectl.run("delete", "configmap", "written-before")
        copy.kubectl.run("create", "configmap", "written-later")
        # It has an authority and keys of its own: what was let into the first is a stranger here.
        with pytest.raises(DevError, match="Unauthorized"):
            copy.kubectl.run(
                "auth",
                "whoami",
                f"--token={token}",
                "--kubeconfig=/dev/null",
                f"--server={copy.server}",
                f"--certificate-authority={copy.ca_file}",
            )
    with ControlPlane.start(tmp_path / "again", environment(), copy_of=tmp_path / "first") as again:
        names = again.kubectl.run("get", "configmaps", "-oname").split()
    assert "configmap/written-before" in names
    assert "configmap/written-later" not in names


@pytest.mark.usefixtures("own_control_plane")
def test_nothing_outlives_a_killed_process_and_data_is_thrown_away(tmp_path: Path) -> None:
    program = textwrap.dedent(f"""
        import pathlib
        from anka_dev.local_kubernetes import environment
        from localkube.controlplane import ControlPlane
        plane = ControlPlane.start(pathlib.Path({str(tmp_path)!r}), environment())
        plane.kubectl.run("create", "configmap", "lost")
        print(*plane.pids.values(), flush=True)
        input()
    """)
    child = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert child.stdout is not None
    pids = [int(word) for word in child.stdout.readline().split()]
    assert len(pids) == 3
    child.send_signal(signal.SIGKILL)
    child.communicate()
    # The supervisors hold the directory's lock until their component is gone, and starting waits for it.
    with ControlPlane.start(tmp_path, environment()) as plane:
        assert not [pid for pid in pids if alive(pid)]
        with pytest.raises(DevError, match='configmaps "lost" not found'):
            plane.kubectl.run("get", "configmap", "lost")
    assert not (tmp_path / "etcd").exists()


@pytest.mark.usefixtures("own_control_plane")
def test_a_component_that_cannot_start_is_named_with_its_log(tmp_path: Path) -> None:
    (tmp_path / "etcd" / "member").mkdir(parents=True)
    (tmp_path / "etcd" / "member" / "snap").write_text("a file where a folder belongs")
    with pytest.raises(DevError) as error:
        ControlPlane.start(tmp_path, environment(), keep_data=True)
    text = str(error.value)
    assert text.startswith("etcd ended with code ")
    assert text.endswith(f"(log: {tmp_path / 'etcd.log'})")
    assert "\n" not in text


@pytest.mark.usefixtures("own_control_plane")
def test_the_command_runs_until_it_is_told_to_stop(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "anka_dev", "control-plane", "run", "--data", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as command:
        assert command.stdout is not None
        line = command.stdout.readline()
        assert line == f"export KUBECONFIG={tmp_path / 'admin.kubeconfig'}\n"
        Kubectl(tmp_path / "admin.kubeconfig", tmp_path / "cache").run("get", "namespaces")
        command.send_signal(signal.SIGINT)
        _, errors = command.communicate(timeout=60)
    assert command.returncode == 0
    assert "Traceback" not in errors
