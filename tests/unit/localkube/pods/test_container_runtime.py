"""Real containers, with this machine's root as their image."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from localkube.pods import spec
from localkube.pods.container_entry import CANNOT_START
from localkube.pods.container_runtime import ContainerRuntime
from localkube.pods.runtime import PodSandbox
from localkube.pods.volumes import materialise
from support.pod_runtimes import NO_CONTAINERS, machine_as_image

pytestmark = NO_CONTAINERS

DATA = {"ca": {"ca.crt": "C"}}
STRICT = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": True}


class Tokens:
    """The API, as far as it gives tokens."""

    def create_namespaced_service_account_token(self, *_: Any) -> Any:
        return type("Answer", (), {"status": type("Status", (), {"token": "T"})})


def run(
    folder: Path, script: str, *, volumes: tuple[dict[str, Any], ...] = (), pod: dict[str, Any] | None = None,
    cluster: dict[str, str] | None = None, image: dict[str, Any] | None = None, **container: Any,
) -> subprocess.CompletedProcess[str]:  # fmt: skip
    """A shell with this script; volumes are mounted at their names."""
    mounted = [{"name": volume["name"], "mountPath": f"/{volume['name']}"} for volume in volumes]
    manifest = {
        "metadata": {"name": "p", "namespace": "n", "uid": "u"},
        "spec": {
            "serviceAccountName": "me",
            "securityContext": pod or {},
            "volumes": list(volumes),
            "containers": [{"name": "c", "command": ["sh", "-c", script], "volumeMounts": mounted, **container}],
        },
    }
    known = spec.fields(manifest, "127.9.9.9")

    def data(_kind: str, name: str) -> dict[str, str]:
        return DATA[name]

    made = materialise(manifest, folder / "volumes", Tokens(), known, data)
    runtime = ContainerRuntime(machine_as_image(**(image or {})), "127.8.8.8")
    argv = runtime.argv(PodSandbox(manifest, known, data, made, folder, "127.9.9.9"), cluster or {})
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30)


def said(*arguments: Any, **options: Any) -> list[str]:
    done = run(*arguments, **options)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_root_is_read_only_if_it_says_so_and_else_forgotten(tmp_path: Path) -> None:
    """Even to root."""
    done = run(tmp_path, "touch /etc/x", securityContext={"readOnlyRootFilesystem": True})
    assert "Read-only file system" in done.stderr
    assert said(tmp_path, "touch /etc/x-of-a-container && ls /etc/x-of-a-container") == ["/etc/x-of-a-container"]
    assert not Path("/etc/x-of-a-container").exists()


def test_nothing_mounted_here_is_seen_there(tmp_path: Path) -> None:
    before = Path("/proc/self/mounts").read_text()
    mounts = said(tmp_path, "cat /proc/self/mounts; ls -A / | grep outside || true; readlink /proc/self")
    assert {line.split()[1] for line in mounts[:-1]} >= {"/", "/proc", "/dev", "/sys", "/etc/hosts"}
    assert not any(".outside" in line for line in mounts)
    assert int(mounts[-1]) < 10
    assert Path("/proc/self/mounts").read_text() == before


@pytest.mark.parametrize(
    ("context", "effective", "bounding", "no_new"),
    [
        (STRICT, "0" * 16, "0" * 16, "1"),
        ({"runAsUser": 65532, "capabilities": {"drop": ["ALL"], "add": ["CHOWN"]}}, "0" * 16, "0" * 15 + "1", "0"),
        ({"runAsUser": 0, "capabilities": {"drop": ["ALL"], "add": ["CHOWN"]}}, "0" * 15 + "1", "0" * 15 + "1", "0"),
        ({"runAsUser": 0}, "00000000a80425fb", "00000000a80425fb", "0"),
    ],
)
def test_capabilities(tmp_path: Path, context: dict[str, Any], effective: str, bounding: str, no_new: str) -> None:
    """The last is what Docker and containerd give to root, by their own documentation."""
    lines = said(tmp_path, "grep -E 'Cap(Eff|Bnd)|NoNewPrivs' /proc/self/status", securityContext=context)
    assert dict(line.split(":\t") for line in lines) == {
        "CapEff": effective, "CapBnd": bounding, "NoNewPrivs": no_new,
    }  # fmt: skip


def test_volumes_are_where_and_whose_the_manifest_says(tmp_path: Path) -> None:
    sources = [
        {"serviceAccountToken": {"path": "token"}},
        {"configMap": {"name": "ca", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
    ]
    volumes = (
        {"name": "scratch", "emptyDir": {}},
        {"name": "account", "projected": {"sources": sources}},
        {"name": "config", "configMap": {"name": "ca", "defaultMode": 0o440}},
    )
    script = (
        "id -u; id -G; stat -c '%n %a %u %g' /scratch /account/* /config/*; cat /account/token; echo;"
        "touch /scratch/x && stat -c %g /scratch/x; touch /account/x /config/x 2>&1 | grep -c Read-only"
    )
    lines = said(tmp_path, script, volumes=volumes, pod={"runAsUser": 1234, "runAsGroup": 5, "fsGroup": 77})
    assert lines == [
        "1234", "5 77",
        "/scratch 2777 0 77", "/account/ca.crt 644 0 77", "/account/token 640 1234 77", "/config/ca.crt 440 0 77",
        "T", "77", "2",
    ]  # fmt: skip


def test_without_a_group_a_token_is_its_users_alone(tmp_path: Path) -> None:
    volume = {"name": "account", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}
    assert said(tmp_path, "stat -c '%a %u' /account/token", volumes=(volume,), pod={"runAsUser": 9}) == ["600 9"]


def test_what_the_cluster_writes_into_etc(tmp_path: Path) -> None:
    lines = said(
        tmp_path, "hostname; cat /etc/hostname /etc/resolv.conf; grep 127.9 /etc/hosts", securityContext=STRICT
    )
    assert lines == [
        "p", "p", "nameserver 127.8.8.8", "search n.svc.cluster.local svc.cluster.local cluster.local",
        "options ndots:5", "127.9.9.9 p",
    ]  # fmt: skip


def test_environment_and_place_are_those_of_image_and_manifest(tmp_path: Path) -> None:
    image = {"Env": ["A=image", "B=image"], "WorkingDir": "/usr", "Entrypoint": ["sh", "-c"]}
    script = "pwd; echo $A $B $C $HOSTNAME $HOME"
    cluster = {"B": "cluster", "C": "cluster"}
    assert said(tmp_path, "", image=image, cluster=cluster, command=[], args=[script]) == [
        "/usr",
        "image cluster cluster p /",
    ]
    given = [{"name": "C", "value": "$(A)-manifest"}]
    found = said(tmp_path, script, image={"Env": ["A=image"]}, env=given, workingDir="/new/place")
    assert found == ["/new/place", "image $(A)-manifest p /"]


def test_a_command_that_is_not_there(tmp_path: Path) -> None:
    done = run(tmp_path, "", command=["anka-nothing"])
    assert done.returncode == CANNOT_START
    assert done.stderr == 'exec: "anka-nothing": executable file not found in $PATH\n'
    assert run(tmp_path, "", command=["/no/thing"]).stderr == 'exec: "/no/thing": no such file or directory\n'


def test_what_it_ends_with_is_told(tmp_path: Path) -> None:
    assert run(tmp_path, "exit 7").returncode == 7
    assert run(tmp_path, "sh -c 'kill -9 $$$$'; exit $?").returncode == 137
