"""The guest's own root directory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from anka_sim.mac import guest, guest_root, sandbox
from anka_sim.mac.harness import Mac

INSIDE = [
    ("pwd; echo $HOME; cd ~anka && pwd", "/Users/anka\n/Users/anka\n/Users/anka\n"),
    ("/usr/bin/sw_vers -productVersion; /usr/bin/uname -s; /bin/date -u -r 0 +%Y", "15.1\nDarwin\n1970\n"),
    ("env -i /usr/sbin/sysctl -n kern.ostype", "Darwin\n"),
    ("printf '#!/bin/sh\\nset -o pipefail; echo shebang' >s; chmod +x s; ./s", "shebang\n"),
    ("echo x >/tmp/mine; cat /private/tmp/mine; ls /tmp | wc -l", "x\n1\n"),
    ("sudo sh -c 'echo 192.168.64.1 anka.gitlab >>/etc/hosts'; grep -c anka.gitlab /etc/hosts", "1\n"),
    ("sudo mkdir -p /Applications/X.app /opt/homebrew; ls /Applications; ls /opt", "X.app\nhomebrew\n"),
    ("sudo mkdir -p /usr/local/bin; [ -w /usr/local/bin ] && echo writable", "writable\n"),
    ("touch /usr/bin/new 2>/dev/null || echo sealed", "sealed\n"),
    ("getent passwd 501", "anka:x:501:20:Anka:/Users/anka:/bin/bash\n"),
]  # fmt: skip


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> object:
    with Mac(tmp_path_factory.mktemp("guests") / "mac") as mac:
        mac.anka("create", "vm")
        mac.anka("start", "vm")
        root = str(mac.guest_home("vm").parents[1])
        if not guest_root.is_possible(str(mac.directory), root):
            pytest.skip("this kernel gives this user no namespaces")
        yield mac


@pytest.mark.parametrize(("line", "output"), INSIDE, ids=[row[0][:40] for row in INSIDE])
def test_inside_it_is_a_mac(shared: Mac, line: str, output: str) -> None:
    answer = shared.anka("run", "vm", "sh", "-c", line)
    assert (answer.stdout.decode(), answer.stderr) == (output, b"")


def test_nothing_of_it_reaches_the_host(shared: Mac) -> None:
    before = Path("/etc/hosts").read_bytes()
    shared.anka(
        "run", "vm", "sh", "-c", "echo 10.9.8.7 other >>/etc/hosts; mkdir -p /Volumes/disk; echo x >/tmp/of-the-vm"
    )
    assert Path("/etc/hosts").read_bytes() == before
    assert not Path("/tmp/of-the-vm").exists()
    assert (shared.guest_home("vm").parents[1] / "Volumes" / "disk").is_dir()


def test_a_copied_program_is_found_and_runs(shared: Mac, tmp_path: Path) -> None:
    program = tmp_path / "buildkite-agent"
    program.write_text("#!/bin/bash\necho agent $1\n")
    program.chmod(0o755)
    assert shared.anka("cp", "-a", str(program), "vm:/usr/local/bin/buildkite-agent").code == 0
    assert (
        shared.anka("run", "vm", "bash", "-c", "command -v buildkite-agent").stdout
        == b"/usr/local/bin/buildkite-agent\n"
    )
    assert shared.anka("run", "vm", "buildkite-agent", "bootstrap").stdout == b"agent bootstrap\n"


def test_a_script_that_packer_uploads_runs_by_its_path(shared: Mac, tmp_path: Path) -> None:
    (tmp_path / "upload").write_text("echo provisioned\n")
    assert shared.anka("cp", "-a", str(tmp_path / "upload"), "vm:/tmp/script_1.sh").code == 0
    answer = shared.anka("run", "-n", "vm", "sh", "-s", stdin=b"chmod +x /tmp/script_1.sh; /bin/sh /tmp/script_1.sh")
    assert answer.stdout == b"provisioned\n"


def test_switched_off_processes_see_the_hosts_paths(make_mac: Callable[..., Mac]) -> None:
    mac = make_mac(own_root=False)
    mac.anka("create", "vm")
    answer = mac.anka("run", "vm", "sh", "-c", "set -o pipefail; pwd")
    assert answer.stdout.decode().strip() == str(mac.guest_home("vm"))


def test_prepare_can_be_repeated(tmp_path: Path) -> None:
    guest.write_tools(str(tmp_path))
    root = sandbox.make(str(tmp_path / "root"))
    first = guest_root.prepare(str(tmp_path), root)
    assert first
    assert guest_root.prepare(str(tmp_path), root) == first
    assert all(mount.target.startswith(f"{root}/") for mount in first)


def test_a_directory_that_an_overlay_cannot_name(tmp_path: Path) -> None:
    assert not guest_root.is_possible(f"{tmp_path}/a,b", f"{tmp_path}/a,b/root")
