from pathlib import Path

import pytest

from anka_dev.controlplane import versions
from anka_dev.controlplane.versions import Target


@pytest.mark.parametrize(
    ("system", "machine", "folder"),
    [
        ("Linux", "x86_64", "linux-amd64"),
        ("Linux", "aarch64", "linux-arm64"),
        ("Darwin", "arm64", "darwin-arm64"),
        ("Darwin", "x86_64", "darwin-amd64"),
    ],
)
def test_folder_names_version_and_machine(system: str, machine: str, folder: str) -> None:
    name = Target.of(system, machine).folder
    assert name == f"k8s-{versions.KUBERNETES}-etcd-{versions.ETCD}-{folder}"


@pytest.mark.parametrize(("system", "machine"), [("Windows", "AMD64"), ("Linux", "riscv64")])
def test_other_machines_are_told_what_to_do(system: str, machine: str) -> None:
    with pytest.raises(ValueError, match=f"{system} on {machine}.*ANKA_KUBECONFIG"):
        Target.of(system, machine)


def test_staging_version_belongs_to_the_release() -> None:
    assert versions.KUBERNETES.split(".")[1:] == versions.STAGING.split(".")[1:]


def test_cached_go_is_new_enough() -> None:
    assert versions.parse_go_version(versions.GO_PACKAGE_VERSION) >= versions.GO_MINIMUM


@pytest.mark.parametrize(
    ("env", "root"),
    [
        ({"ANKA_CACHE": "/big/disk", "HOME": "/home/a"}, "/big/disk"),
        ({"HOME": "/home/a"}, "/home/a/.cache/anka-cloud"),
        ({"ANKA_CACHE": "", "HOME": "/home/a"}, "/home/a/.cache/anka-cloud"),
    ],
)
def test_cache_root(env: dict[str, str], root: str) -> None:
    assert versions.cache_root(env) == Path(root)
    assert Path(root) in versions.binaries_dir(env, Target("linux", "amd64")).parents


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("go1.26.8\n", (1, 26, 8)),
        ("go1.27", (1, 27)),
        ("go1.26.5 X:nodwarf5", (1, 26, 5)),
        ("go1.26.5-vendor", (1, 26, 5)),
        ("go1.27rc1", ()),
        ("devel +abc", ()),
        ("", ()),
    ],
)
def test_parse_go_version(text: str, version: tuple[int, ...]) -> None:
    assert versions.parse_go_version(text) == version
