import os
import sys
from pathlib import Path

import pytest

from localkube.errors import DevError
from localkube.programs import gobuild, versions
from localkube.programs.gobuild import SOURCES, Source, Tally, go_mod, linker_flags, run_build
from localkube.programs.toolchain import Go
from localkube.progress import Heartbeat

UPSTREAM = """\
// generated
module k8s.io/kubernetes

go 1.26.0

require (
\tk8s.io/api v0.0.0
\tk8s.io/klog/v2 v2.140.0
)

replace (
\tk8s.io/api => ./staging/src/k8s.io/api
\tk8s.io/cri-api => ./staging/src/k8s.io/cri-api
)

replace k8s.io/metrics => ./staging/src/k8s.io/metrics
"""


def test_staging_modules_become_published_ones() -> None:
    text = go_mod(SOURCES[versions.API_SERVER], UPSTREAM, "0.37.2")
    assert text.split("\n\n") == [
        "module localkube.invalid/control-plane",
        "go 1.26.0",
        f"require k8s.io/kubernetes v{versions.KUBERNETES}",
        "replace k8s.io/api => k8s.io/api v0.37.2",
        "replace k8s.io/cri-api => k8s.io/cri-api v0.37.2",
        "replace k8s.io/metrics => k8s.io/metrics v0.37.2\n",
    ]


def test_a_module_without_staging_needs_no_replacement() -> None:
    assert "replace" not in go_mod(SOURCES[versions.STORE], "module x\n\ngo 1.26.0\n")


def test_a_module_of_the_same_repository_is_that_of_the_same_commit() -> None:
    source = SOURCES[versions.DEX]
    commit = source.version.rpartition("-")[2]
    text = go_mod(source, "module x\n\ngo 1.25.8\n\nreplace github.com/dexidp/dex/api/v2 => ./api/v2\n")
    assert "\nreplace github.com/dexidp/dex/api/v2 => github.com/dexidp/dex/api/v2 v" in text
    assert text.count(commit) == 2


def test_an_upstream_without_go_line_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no go line in go\.mod of m"):
        go_mod(Source("m", "1", "m"), "module m\n")


def test_kubernetes_is_told_its_version() -> None:
    flags = linker_flags(SOURCES[versions.API_SERVER]).split(" -X ")
    assert flags[0] == "-s -w"
    assert f"k8s.io/component-base/version.gitVersion=v{versions.KUBERNETES}" in flags
    assert linker_flags(SOURCES[versions.STORE]) == "-s -w"


def test_every_component_has_a_source() -> None:
    assert set(SOURCES) == {*versions.COMPONENTS, versions.SCHEDULER, versions.KWOK, versions.HELM, *versions.CHECKERS}


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ([], "0 packages compiled"),
        (["k8s.io/api/core/v1", "internal/cpu"], "2 packages compiled"),
        (["go: downloading k8s.io/api v0.37.2", "errors"], "1 modules downloaded, 1 packages compiled"),
        (["go: finding module", "# k8s.io/broken", "x.go:1:2: bad thing", ""], "0 packages compiled"),
    ],
)
def test_tally(lines: list[str], text: str) -> None:
    tally = Tally()
    for line in lines:
        tally.count(line)
    assert str(tally) == text


def script(tmp_path: Path, body: str) -> list[str]:
    file = tmp_path / "build.py"
    file.write_text(body)
    return [sys.executable, str(file)]


def test_progress_is_said_while_it_works(tmp_path: Path) -> None:
    said: list[str] = []
    command = script(tmp_path, "import sys\nfor n in range(3): print(f'pkg/{n}', file=sys.stderr, flush=True)\n")
    run_build(command, dict(os.environ), tmp_path, "etcd v1", Heartbeat(said.append, interval=0))
    assert said[2] == "building etcd v1: 3 packages compiled (0:00)"


def test_a_failed_build_shows_its_last_lines(tmp_path: Path) -> None:
    body = "import sys\nprint('pkg/a\\n# pkg/b\\nb.go:1:1: undefined: x', file=sys.stderr)\nsys.exit(1)\n"
    with pytest.raises(DevError, match=r"go build of etcd v1 failed: .*b\.go:1:1: undefined: x$"):
        run_build(script(tmp_path, body), dict(os.environ), tmp_path, "etcd v1", Heartbeat(lambda _: None))


FAKE_GO = """\
#!{python}
import json, os, sys
if sys.argv[1:3] == ["mod", "download"]:
    print(json.dumps({{"GoMod": {gomod!r}}}))
else:
    out = sys.argv[sys.argv.index("-o") + 1]
    open(out, "w").write(os.environ["CGO_ENABLED"] + " " + sys.argv[-1])
    os.chmod(out, 0o755)
    sys.exit({code})
"""


def fake_go(tmp_path: Path, code: int) -> Go:
    upstream = tmp_path / "upstream.mod"
    upstream.write_text(UPSTREAM)
    path = tmp_path / "go"
    path.write_text(FAKE_GO.format(python=sys.executable, gomod=str(upstream), code=code))
    path.chmod(0o755)
    return Go(path, os.environ)


def test_build_puts_the_whole_binary_in_place(tmp_path: Path) -> None:
    into = tmp_path / "cache"
    into.mkdir()
    said: list[str] = []
    path = gobuild.build(versions.API_SERVER, into, fake_go(tmp_path, 0), tmp_path / "scratch", said.append)
    assert path.read_text() == "0 k8s.io/kubernetes/cmd/kube-apiserver"
    assert [file.name for file in into.iterdir()] == ["kube-apiserver"]
    assert said[0].startswith("building kube-apiserver")
    assert said[-1].startswith("built kube-apiserver")
    assert "replace k8s.io/api =>" in (tmp_path / "scratch" / "k8s.io_kubernetes" / "go.mod").read_text()


def test_a_library_is_built_with_our_main_package(tmp_path: Path) -> None:
    into = tmp_path / "cache"
    into.mkdir()
    path = gobuild.build(versions.KSTATUS, into, fake_go(tmp_path, 0), tmp_path / "scratch", lambda _: None)
    assert path.read_text() == "0 ."
    main = tmp_path / "scratch" / "sigs.k8s.io_cli-utils" / "main.go"
    assert "sigs.k8s.io/cli-utils/pkg/kstatus/status" in main.read_text()


def test_a_failed_build_leaves_nothing_in_the_cache(tmp_path: Path) -> None:
    into = tmp_path / "cache"
    into.mkdir()
    with pytest.raises(DevError, match="go build of etcd"):
        gobuild.build(versions.STORE, into, fake_go(tmp_path, 3), tmp_path / "scratch", lambda _: None)
    assert list(into.iterdir()) == []
