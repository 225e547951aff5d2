from pathlib import Path

import pytest

from localkube.controlplane import commands
from localkube.controlplane.certificates import Pair, Pki
from localkube.controlplane.commands import Layout, Ports

LAYOUT = Layout(Path("/d"))
PORTS = Ports(1111, 2222, 3333)


def pair(name: str) -> Pair:
    return Pair(Path(f"/d/pki/{name}.crt"), Path(f"/d/pki/{name}.key"))


PKI = Pki(
    pair("ca"), pair("server"), pair("admin"), pair("controller-manager"), Path("/d/pki/sa.key"), Path("/d/pki/sa.pub")
)
BINARY = Path("/bin/x")
ALL = {
    "etcd": commands.etcd(BINARY, LAYOUT, PORTS, durable=False),
    "kube-apiserver": commands.api_server(BINARY, LAYOUT, PORTS, PKI, audit=True),
    "kube-controller-manager": commands.controller_manager(BINARY, LAYOUT, PKI, workloads=False),
}


@pytest.mark.parametrize(
    ("component", "flag"),
    [
        ("kube-apiserver", "--authorization-mode=RBAC"),
        ("kube-apiserver", "--endpoint-reconciler-type=none"),
        ("kube-apiserver", "--etcd-servers=http://127.0.0.1:2222"),
        ("kube-apiserver", "--secure-port=1111"),
        ("kube-apiserver", "--bind-address=127.0.0.1"),
        ("kube-apiserver", "--client-ca-file=/d/pki/ca.crt"),
        ("kube-apiserver", "--audit-log-path=/d/audit.log"),
        ("etcd", "--listen-client-urls=http://127.0.0.1:2222"),
        ("etcd", "--unsafe-no-fsync"),
        ("etcd", "--data-dir=/d/etcd"),
        ("kube-controller-manager", "--leader-elect=false"),
        ("kube-controller-manager", "--use-service-account-credentials"),
        ("kube-controller-manager", "--root-ca-file=/d/pki/ca.crt"),
    ],
)
def test_flags(component: str, flag: str) -> None:
    assert flag in ALL[component]


@pytest.mark.parametrize("component", sorted(ALL))
def test_each_is_the_binary_with_flags_given_once(component: str) -> None:
    binary, *flags = ALL[component]
    names = [flag.split("=")[0] for flag in flags]
    assert binary == "/bin/x"
    assert all(name.startswith("--") for name in names)
    assert len(names) == len(set(names))


def test_kept_data_is_flushed_to_disk() -> None:
    assert "--unsafe-no-fsync" not in commands.etcd(BINARY, LAYOUT, PORTS, durable=True)


def test_no_audit_unless_asked() -> None:
    argv = commands.api_server(BINARY, LAYOUT, PORTS, PKI, audit=False)
    assert not [flag for flag in argv if "audit" in flag]


def test_nothing_listens_beyond_this_machine() -> None:
    urls = [flag for argv in ALL.values() for flag in argv if "://" in flag and "issuer" not in flag]
    assert urls
    assert all("//127.0.0.1:" in url for url in urls)


def test_every_file_is_in_the_directory() -> None:
    files = [getattr(LAYOUT, name) for name, value in vars(Layout).items() if isinstance(value, property)]
    assert len(files) == len(set(files)) == 8
    assert all(file.parent == Path("/d") for file in [*files, LAYOUT.log("etcd")])
    assert PORTS.server == "https://127.0.0.1:1111"
