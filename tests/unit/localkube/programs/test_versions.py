from pathlib import Path

import pytest

from localkube.environment import Environment
from localkube.programs import versions
from localkube.programs.versions import Target


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
def test_other_machines_are_refused(system: str, machine: str) -> None:
    with pytest.raises(ValueError, match=f"{system} on {machine}"):
        Target.of(system, machine)


def test_staging_version_belongs_to_the_release() -> None:
    assert versions.KUBERNETES.split(".")[1:] == versions.STAGING.split(".")[1:]


def test_cached_go_is_new_enough() -> None:
    assert versions.parse_go_version(versions.GO_PACKAGE_VERSION) >= versions.GO_MINIMUM


def test_each_program_has_its_folder_in_the_cache() -> None:
    env, target = Environment({"ACME_CACHE": "/big"}, "ACME", "acme"), Target("linux", "amd64")
    folders = [versions.binaries_dir(env, target), versions.helm_dir(env, target), versions.kwok_dir(env, target)]
    folders += [versions.checker_dir(env, target, name) for name in versions.CHECKERS]
    assert len(set(folders)) == len(folders)
    assert all(Path("/big") in folder.parents and folder.name.endswith("linux-amd64") for folder in folders)


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
