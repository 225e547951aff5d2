from pathlib import Path

import pytest

from anka_dev.controlplane import binaries, gobuild, versions
from anka_dev.controlplane.download import DownloadError
from anka_dev.controlplane.versions import Target
from anka_dev.errors import DevError

HERE = binaries.this_machine()


def put(folder: Path, *names: str, mode: int = 0o755) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text("")
        (folder / name).chmod(mode)


class World:
    """A cache folder, and what getting binaries would do."""

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.env = {"ANKA_CACHE": str(tmp_path / "cache"), "HOME": str(tmp_path)}
        self.cache = versions.binaries_dir(self.env, HERE)
        self.assets = tmp_path / "assets"
        self.said: list[str] = []
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
        return binaries.ensure(self.env, self.said.append)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def test_the_cache_is_enough(world: World) -> None:
    put(world.cache, *versions.COMPONENTS)
    assert world.ensure().etcd == world.cache / "etcd"
    assert (world.downloads, world.built, world.said) == ([], [], [])
    assert binaries.complete(world.env, HERE)


def test_assets_come_before_the_cache(world: World) -> None:
    put(world.cache, *versions.COMPONENTS)
    put(world.assets, "kube-apiserver", "etcd")
    world.env["KUBEBUILDER_ASSETS"] = str(world.assets)
    got = world.ensure()
    assert (got.etcd.parent, got.api_server.parent) == (world.assets, world.assets)
    assert got.controller_manager.parent == world.cache


def test_assets_without_a_controller_manager_get_only_that(world: World) -> None:
    put(world.assets, "kube-apiserver", "etcd")
    world.env["KUBEBUILDER_ASSETS"] = str(world.assets)
    assert world.ensure().controller_manager == world.cache / "kube-controller-manager"
    assert world.built == ["kube-controller-manager"]


@pytest.mark.parametrize(("names", "missing"), [(["etcd"], "kube-apiserver"), ([], "etcd")])
def test_wrong_assets_are_named(world: World, names: list[str], missing: str) -> None:
    put(world.assets, *names)
    world.env["KUBEBUILDER_ASSETS"] = str(world.assets)
    with pytest.raises(DevError, match=f"KUBEBUILDER_ASSETS={world.assets} has no executable {missing}"):
        world.ensure()


def test_downloads_are_preferred_to_building(world: World) -> None:
    world.published = set(versions.COMPONENTS)
    world.ensure()
    assert world.built == []
    assert world.downloads == [{"etcd", "kube-apiserver"}, {"kube-controller-manager"}]


def test_an_unreachable_host_is_tried_once_and_said_in_one_line(world: World) -> None:
    world.reachable = False
    world.ensure()
    assert len(world.downloads) == 1
    assert world.built == list(versions.COMPONENTS)
    assert world.said == ["no release binaries, building instead: no such thing"]


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


def test_the_scheduler_is_built_once_and_only_when_it_is_asked_for(world: World) -> None:
    put(world.cache, *versions.COMPONENTS)
    world.ensure()
    assert world.built == []
    for _ in range(2):
        assert binaries.ensure_scheduler(world.env, world.said.append) == world.cache / "kube-scheduler"
    assert world.built == ["kube-scheduler"]


def test_helm_is_the_named_one_the_one_in_path_the_cached_one_or_is_built(world: World, tmp_path: Path) -> None:
    world.env["PATH"] = ""
    for _ in range(2):
        assert binaries.ensure_helm(world.env, world.said.append).parent == versions.helm_dir(world.env, HERE)
    assert world.built == ["helm"]
    in_path = tmp_path / "path" / "helm"
    put(in_path.parent, "helm")
    for version, taken in ((versions.HELM_VERSION, True), ("2.17.0", False)):
        in_path.write_text(f"#!/bin/sh\necho v{version}\n")
        found = binaries.ensure_helm({**world.env, "PATH": f"{in_path.parent}"}, world.said.append)
        assert (found == in_path) is taken
    put(tmp_path, "mine")
    assert binaries.ensure_helm({**world.env, "ANKA_HELM": str(tmp_path / "mine")}, world.said.append).name == "mine"
    with pytest.raises(DevError, match="ANKA_HELM=/nowhere/helm is no executable: correct or unset it"):
        binaries.ensure_helm({**world.env, "ANKA_HELM": "/nowhere/helm"}, world.said.append)


def test_a_judge_that_is_only_looked_for_is_not_built(world: World, tmp_path: Path) -> None:
    world.env["PATH"] = str(tmp_path / "path")
    assert binaries.found_judge("promtool", world.env) is None
    put(tmp_path / "path", "promtool")
    assert binaries.found_judge("promtool", world.env) == tmp_path / "path" / "promtool"
    cached = versions.judge_dir(world.env, HERE, "promtool")
    put(cached, "promtool")
    assert binaries.found_judge("promtool", world.env) == cached / "promtool"
    assert world.built == []


@pytest.mark.parametrize("name", sorted(versions.JUDGES))
def test_judges_are_built_once_each_in_its_own_folder(world: World, name: str) -> None:
    for _ in range(2):
        binary = binaries.ensure_judge(name, world.env, world.said.append)
        assert binary == versions.judge_dir(world.env, HERE, name) / name
    assert world.built == [name]
    assert versions.JUDGES[name] in binary.parent.name
