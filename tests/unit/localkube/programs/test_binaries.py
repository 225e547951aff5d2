from pathlib import Path

import pytest

from localkube.environment import Environment
from localkube.errors import DevError
from localkube.programs import binaries, gobuild, versions
from localkube.programs.download import DownloadError
from localkube.programs.versions import Target

HERE = binaries.this_machine(Environment({}, "ACME", "acme"))


def put(folder: Path, *names: str, mode: int = 0o755) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text("")
        (folder / name).chmod(mode)


class World:
    """A cache folder, and what getting binaries would do."""

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.variables = {"ACME_CACHE": str(tmp_path / "cache"), "HOME": str(tmp_path)}
        self.env = Environment(self.variables, "ACME", "acme")
        self.cache = versions.binaries_dir(self.env, HERE)
        self.assets = tmp_path / "assets"
        self.lines: list[str] = []
        self.downloads: list[set[str]] = []
        self.built: list[str] = []
        self.published: set[str] = set()
        self.reachable = True
        monkeypatch.setattr(binaries, "download", self._download)
        monkeypatch.setattr(binaries, "find_go", lambda *_: Path("go"))
        monkeypatch.setattr(gobuild, "build", self._build)

    def _download(self, missing: set[str], into: Path, target: Target, env: object, say: object) -> None:
        self.downloads.append(set(missing))
        if not missing <= self.published:
            raise DownloadError("no such thing", reachable=self.reachable)
        put(into, *missing)

    def _build(self, name: str, into: Path, *_: object) -> None:
        self.built.append(name)
        put(into, name)

    def ensure(self) -> binaries.Binaries:
        return binaries.ensure(self.env, self.lines.append)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def test_the_cache_is_enough(world: World) -> None:
    put(world.cache, *versions.COMPONENTS)
    assert world.ensure().etcd == world.cache / "etcd"
    assert (world.downloads, world.built, world.lines) == ([], [], [])
    assert binaries.is_complete(world.env, HERE)


def test_assets_come_before_the_cache(world: World) -> None:
    put(world.cache, *versions.COMPONENTS)
    put(world.assets, "kube-apiserver", "etcd")
    world.variables["KUBEBUILDER_ASSETS"] = str(world.assets)
    got = world.ensure()
    assert (got.etcd.parent, got.api_server.parent) == (world.assets, world.assets)
    assert got.controller_manager.parent == world.cache


def test_assets_without_a_controller_manager_get_only_that(world: World) -> None:
    put(world.assets, "kube-apiserver", "etcd")
    world.variables["KUBEBUILDER_ASSETS"] = str(world.assets)
    assert world.ensure().controller_manager == world.cache / "kube-controller-manager"
    assert world.built == ["kube-controller-manager"]


@pytest.mark.parametrize(("names", "missing"), [(["etcd"], "kube-apiserver"), ([], "etcd")])
def test_wrong_assets_are_named(world: World, names: list[str], missing: str) -> None:
    put(world.assets, *names)
    world.variables["KUBEBUILDER_ASSETS"] = str(world.assets)
    with pytest.raises(DevError, match=f"KUBEBUILDER_ASSETS={world.assets} has no executable {missing}"):
        world.ensure()


def test_downloads_are_preferred_to_building(world: World) -> None:
    world.published = set(versions.COMPONENTS)
    world.ensure()
    assert world.built == []
    assert world.downloads == [{"etcd", "kube-apiserver"}, {"kube-controller-manager"}]


def test_an_unreachable_host_is_tried_once_and_reported_in_one_line(world: World) -> None:
    world.reachable = False
    world.ensure()
    assert len(world.downloads) == 1
    assert world.built == list(versions.COMPONENTS)
    assert world.lines == ["no release binaries, building instead: no such thing"]


def test_an_unpublished_archive_does_not_stop_the_other_download(world: World) -> None:
    world.published = {"kube-controller-manager"}
    world.ensure()
    assert world.built == ["etcd", "kube-apiserver"]


def test_a_file_that_cannot_run_does_not_count(world: World) -> None:
    put(world.cache, *versions.COMPONENTS)
    put(world.cache, "etcd", mode=0o644)
    world.ensure()
    assert world.built == ["etcd"]


def test_leftovers_of_a_killed_build_are_removed(world: World) -> None:
    put(world.cache / ".etcd-x1y2", "etcd")
    world.ensure()
    assert sorted(file.name for file in world.cache.iterdir()) == sorted(versions.COMPONENTS)


def test_the_scheduler_is_built_once_and_only_on_request(world: World) -> None:
    put(world.cache, *versions.COMPONENTS)
    world.ensure()
    assert world.built == []
    for _ in range(2):
        assert binaries.ensure_scheduler(world.env, world.lines.append) == world.cache / "kube-scheduler"
    assert world.built == ["kube-scheduler"]
    assert binaries.find_pod_programs(world.env) == [world.cache / "kube-scheduler"]


def test_kwok_is_built_once_in_a_folder_that_names_its_version(world: World) -> None:
    for _ in range(2):
        assert binaries.ensure_kwok(world.env, world.lines.append) == versions.kwok_dir(world.env, HERE) / "kwok"
    assert world.built == ["kwok"]
    assert binaries.find_pod_programs(world.env) == [versions.kwok_dir(world.env, HERE) / "kwok"]
    assert versions.KWOK_VERSION in versions.kwok_dir(world.env, HERE).name


def test_helm_is_the_named_one_the_one_in_path_the_cached_one_or_is_built(world: World, tmp_path: Path) -> None:
    world.variables["PATH"] = ""
    for _ in range(2):
        assert binaries.ensure_helm(world.env, world.lines.append).parent == versions.helm_dir(world.env, HERE)
    assert world.built == ["helm"]
    in_path = tmp_path / "path" / "helm"
    put(in_path.parent, "helm")
    for version, taken in ((versions.HELM_VERSION, True), ("2.17.0", False)):
        in_path.write_text(f"#!/bin/sh\necho v{version}\n")
        world.variables["PATH"] = str(in_path.parent)
        found = binaries.ensure_helm(world.env, world.lines.append)
        assert (found == in_path) is taken
    put(tmp_path, "mine")
    world.variables["ACME_HELM"] = str(tmp_path / "mine")
    assert binaries.ensure_helm(world.env, world.lines.append).name == "mine"
    world.variables["ACME_HELM"] = "/nowhere/helm"
    with pytest.raises(DevError, match="ACME_HELM=/nowhere/helm is no executable: correct or unset it"):
        binaries.ensure_helm(world.env, world.lines.append)


def test_find_checker_builds_nothing(world: World, tmp_path: Path) -> None:
    world.variables["PATH"] = str(tmp_path / "path")
    assert binaries.find_checker("promtool", world.env) is None
    put(tmp_path / "path", "promtool")
    assert binaries.find_checker("promtool", world.env) == tmp_path / "path" / "promtool"
    cached = versions.checker_dir(world.env, HERE, "promtool")
    put(cached, "promtool")
    assert binaries.find_checker("promtool", world.env) == cached / "promtool"
    assert world.built == []


@pytest.mark.parametrize("name", sorted(versions.CHECKERS))
def test_checkers_are_built_once_each_in_its_own_folder(world: World, name: str) -> None:
    for _ in range(2):
        binary = binaries.ensure_checker(name, world.env, world.lines.append)
        assert binary == versions.checker_dir(world.env, HERE, name) / name
    assert world.built == [name]
    assert versions.CHECKERS[name] in binary.parent.name


def test_a_machine_without_kubernetes_can_still_name_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(DevError, match=r"on riscv64: use Linux .*, or name a cluster with ACME_KUBECONFIG"):
        binaries.this_machine(Environment({}, "ACME", "acme"))
