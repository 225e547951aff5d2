import base64
from pathlib import Path

import pytest

from anka_dev.controlplane import kubeconfig
from anka_dev.controlplane.kind import KindCluster, cluster_name
from anka_dev.errors import DevError

# Records its arguments; "get clusters" lists the file "existing"; others write the kubeconfig they are told to.
FAKE_KIND = """#!/bin/sh
echo "$1 $2 $3" >> {folder}/calls
if [ "$1" = get ]; then cat {folder}/existing; exit; fi
if [ -e {folder}/broken ]; then echo 'Creating cluster' >&2; echo 'ERROR: no docker daemon' >&2; exit 1; fi
for word; do case "$word" in --kubeconfig=*) cp {folder}/config "${{word#*=}}";; esac; done
"""


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "existing").write_text("")
    (folder / "config").write_text(kubeconfig.with_token_file("https://127.0.0.1:5", b"ca", "/t", "default"))
    for name, text in (("kind", FAKE_KIND.format(folder=folder)), ("docker", "#!/bin/sh\n")):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def calls(tools: Path) -> list[str]:
    return [" ".join(line.split()[:2]) for line in (tools / "calls").read_text().splitlines()]


@pytest.mark.parametrize(("keep", "last"), [(False, "delete cluster"), (True, "create cluster")])
def test_created_and_deleted_unless_kept(tools: Path, tmp_path: Path, keep: bool, last: str) -> None:
    with KindCluster(tmp_path / "work", keep_data=keep) as cluster:
        assert cluster.server == "https://127.0.0.1:5"
        assert base64.b64encode(cluster.ca_file.read_bytes()) == b"Y2E="
    assert calls(tools)[1] == "create cluster"
    assert calls(tools)[-1] == last


def test_one_from_before_is_used_again(tools: Path, tmp_path: Path) -> None:
    (tools / "existing").write_text(f"other\n{cluster_name(tmp_path)}\n")
    KindCluster(tmp_path, keep_data=True)
    assert calls(tools) == ["get clusters", "export kubeconfig"]


def test_its_error_is_one_line(tools: Path, tmp_path: Path) -> None:
    (tools / "broken").touch()
    with pytest.raises(DevError, match=r"^kind create cluster: no docker daemon$"):
        KindCluster(tmp_path, keep_data=False)


@pytest.mark.parametrize("tool", ["kind", "docker"])
def test_a_missing_tool_is_named(tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: str) -> None:
    (tools / tool).unlink()
    monkeypatch.setenv("PATH", str(tools))
    with pytest.raises(DevError, match=f"CLUSTER=kind needs {tool} in PATH"):
        KindCluster(tmp_path, keep_data=False)


def test_each_directory_has_its_own_name() -> None:
    assert cluster_name(Path("/a")) != cluster_name(Path("/b"))
    assert cluster_name(Path("/a")) == cluster_name(Path("/a"))
