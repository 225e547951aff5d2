import base64
import stat
from pathlib import Path

import pytest

from localkube.controlplane import kubeconfig
from localkube.controlplane.kind import KindCluster, cluster_name
from localkube.controlplane.kubectl import Kubectl
from localkube.errors import DevError

# Records its arguments, and keeps the names of its clusters in the file "existing". What it is told to do badly lies in
# a file of the name of that action: it fails with those words, after it has done what it should.
FAKE_KIND = """#!/bin/sh
cd {folder}
echo "$1 $2" >> calls
for word; do case "$word" in --kubeconfig=*) file="${{word#*=}}";; --name=*) name="${{word#*=}}";; esac; done
case "$1" in
get) cat existing;;
create) echo "$name" >> existing; cp config "$file";;
export) cp config "$file";;
delete) grep -v "^$name$" existing > left; mv left existing;;
esac
if [ -e "bad-$1" ]; then cat "bad-$1" >&2; exit 1; fi
"""


def executable(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "existing").write_text("other\n")
    (folder / "config").write_text(kubeconfig.with_token_file("https://127.0.0.1:5", b"ca", "/t", "default"))
    executable(folder / "kind", FAKE_KIND.format(folder=folder))
    executable(folder / "docker", "#!/bin/sh\n")
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def calls(tools: Path) -> list[str]:
    return (tools / "calls").read_text().splitlines()


def clusters(tools: Path) -> list[str]:
    return (tools / "existing").read_text().split()


def kind(directory: Path, *, keep: bool = False, said: list[str] | None = None) -> KindCluster:
    return KindCluster(directory, prefix="acme", keep_data=keep, say=(said if said is not None else []).append)


def ready(monkeypatch: pytest.MonkeyPatch, yes: bool) -> None:
    """Whether the API of a cluster answers; all else that kubectl is asked is asked of the real one."""
    real = Kubectl.run

    def run(self: Kubectl, *arguments: str, stdin: str | None = None, timeout: float = 120) -> str:
        if "--raw=/readyz" not in arguments:
            return real(self, *arguments, stdin=stdin, timeout=timeout)
        if not yes:
            raise DevError("connection refused")
        return "ok"

    monkeypatch.setattr(Kubectl, "run", run)


@pytest.mark.parametrize(("keep", "left"), [(False, ["other"]), (True, ["other", "ours"])])
def test_created_and_deleted_unless_kept(tools: Path, tmp_path: Path, keep: bool, left: list[str]) -> None:
    work = tmp_path / "work"
    said: list[str] = []
    with kind(work, keep=keep, said=said) as cluster:
        assert cluster.server == "https://127.0.0.1:5"
        assert base64.b64encode(cluster.ca_file.read_bytes()) == b"Y2E="
        assert clusters(tools) == ["other", cluster_name("acme", work)]
    assert clusters(tools) == [name.replace("ours", cluster_name("acme", work)) for name in left]
    assert said == [f"creating the kind cluster {cluster_name('acme', work)}: a minute or two"]
    cluster.stop()
    assert calls(tools).count("delete cluster") == (0 if keep else 1)


def test_one_from_before_that_is_kept_and_answers_is_used_again(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready(monkeypatch, True)
    (tools / "existing").write_text(f"other\n{cluster_name('acme', tmp_path)}\n")
    kind(tmp_path, keep=True)
    assert calls(tools) == ["get clusters", "export kubeconfig"]


@pytest.mark.parametrize(
    ("keep", "answers", "bad"),
    [(False, True, ""), (True, False, ""), (True, True, "export")],
    ids=["left by a run that was killed", "it does not answer", "kind can't export it"],
)
def test_any_other_from_before_is_replaced(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: bool, answers: bool, bad: str
) -> None:
    ready(monkeypatch, answers)
    name = cluster_name("acme", tmp_path)
    (tools / "existing").write_text(f"other\n{name}\n")
    if bad:
        (tools / f"bad-{bad}").write_text("ERROR: no such node\n")
    said: list[str] = []
    kind(tmp_path, keep=keep, said=said)
    assert [call for call in calls(tools) if call.endswith("cluster")] == ["delete cluster", "create cluster"]
    assert said[0] == f"removing the kind cluster {name} of an earlier run"
    assert clusters(tools) == ["other", name]


def test_its_error_is_one_line_and_half_a_cluster_is_not_left(tools: Path, tmp_path: Path) -> None:
    (tools / "bad-create").write_text("Creating cluster\nERROR: failed: no docker daemon\nStack Trace:\nmain.go\n")
    with pytest.raises(DevError, match=r"^kind create cluster: failed: no docker daemon$"):
        kind(tmp_path)
    assert clusters(tools) == ["other"]


def test_what_went_wrong_first_is_told(tools: Path, tmp_path: Path) -> None:
    (tools / "bad-create").write_text("ERROR: no space left\n")
    (tools / "bad-delete").write_text("ERROR: no docker daemon\n")
    with pytest.raises(DevError, match=r"^kind create cluster: no space left$"):
        kind(tmp_path)


@pytest.mark.parametrize("tool", ["kind", "docker"])
def test_a_missing_tool_is_named(tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: str) -> None:
    (tools / tool).unlink()
    monkeypatch.setenv("PATH", str(tools))
    with pytest.raises(DevError, match=f"CLUSTER=kind needs {tool} in PATH"):
        kind(tmp_path)


def test_each_directory_has_its_own_name() -> None:
    assert cluster_name("acme", Path("/a")) != cluster_name("acme", Path("/b"))
    assert cluster_name("acme", Path("/a")) == cluster_name("acme", Path("/a"))
    assert cluster_name("acme", Path("/a")).startswith("acme-")
