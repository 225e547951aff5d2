"""`anka run`; and that `anka cp` stays in the guest (its flags: `test_copying.py`)."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from anka_sim.mac.harness import Mac

LOST = 125


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A Mac with a running VM `vm` that knows our key, and with the key."""
    directory = tmp_path_factory.mktemp("guests")
    key = directory / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    with Mac(directory / "mac") as mac:
        mac.anka("create", "vm")
        mac.anka("start", "vm")
        keys = mac.guest_home("vm") / ".ssh"
        keys.mkdir()
        shutil.copy(f"{key}.pub", keys / "authorized_keys")
        yield mac, key


RUN = [
    (["run", "vm", "true"], b"", 0, b""),
    (["run", "vm", "sh", "-c", "exit 7"], b"", 7, b""),
    (["run", "vm", "echo", "-n", "a  b"], b"", 0, b"a  b"),
    (["-j", "run", "vm", "bash", "-c", "echo hello"], b"", 0, b"hello\n"),
    (["run", "-n", "vm", "sh", "-s"], b"echo from $VM_NAME\nexit 3\n", 3, b"from vm\n"),
    (["run", "vm", "sh"], b"echo from a startup script\n", 0, b"from a startup script\n"),
    (["run", "vm", "cat"], b"\x00\xff binary", 0, b"\x00\xff binary"),
    (["run", "vm", "ls", "-d", "."], b"", 0, b".\n"),
    (["run", "-w", "/tmp", "vm", "sh", "-c", 'basename "$PWD"'], b"", 0, b"tmp\n"),
    (["run", "-e", "A=1", "-e", "USER=me", "vm", "sh", "-c", "echo $A $USER"], b"", 0, b"1 me\n"),
    (
        ["run", "vm", "sh", "-c", "echo $USER $HOSTNAME; hostname; sw_vers -productVersion"],
        b"",
        0,
        b"anka vm\nvm\n15.1\n",
    ),
    (["run", "-q", "vm", "echo", "quiet"], b"", 0, b""),
    (["run", "-N", "vm", "echo", "up"], b"", 0, b"up\n"),
    (["run", "vm", "no-such-command"], b"", 127, b""),
    (["run", "-w", "/nowhere", "vm", "true"], b"", 1, b""),
    (["run", "vm", "sh", "-c", "kill -9 $$"], b"", 137, b""),
]


@pytest.mark.parametrize(("argv", "stdin", "code", "output"), RUN, ids=[" ".join(row[0]) for row in RUN])
def test_run(shared: Any, argv: list[str], stdin: bytes, code: int, output: bytes) -> None:
    answer = shared[0].anka(*argv, stdin=stdin)
    assert (answer.code, answer.stdout) == (code, output)


def test_run_keeps_stderr_apart(shared: Any) -> None:
    answer = shared[0].anka("run", "vm", "sh", "-c", "echo out; echo err >&2")
    assert (answer.stdout, answer.stderr) == (b"out\n", b"err\n")


def test_run_inherits_the_environment_without_overriding(shared: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FROM_HOST", "yes")
    monkeypatch.setenv("HOME", "/host")
    script = 'echo "$FROM_HOST ${HOME##*/}"'
    assert shared[0].anka("run", "-E", "vm", "sh", "-c", script).stdout == b"yes anka\n"
    assert shared[0].anka("run", "vm", "sh", "-c", script).stdout == b" anka\n"


def test_env_is_a_flag_and_e_takes_a_variable(shared: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the buildkite plugin calls it: `anka run --env VM COMMAND`."""
    monkeypatch.setenv("FROM_HOST", "yes")
    assert shared[0].anka("run", "--env", "vm", "sh", "-c", "echo $FROM_HOST").stdout == b"yes\n"


def test_run_reads_environment_files(shared: Any, tmp_path: Path) -> None:
    (tmp_path / "env").write_text("# comment\nA=from file\n\nB=2\n")
    answer = shared[0].anka("run", "-f", str(tmp_path / "env"), "vm", "sh", "-c", 'echo "$A/$B"')
    assert answer.stdout == b"from file/2\n"


def test_run_passes_much_data(shared: Any) -> None:
    data = bytes(range(256)) * 20_000
    assert shared[0].anka("run", "vm", "cat", stdin=data).stdout == data


def test_run_starts_the_vm(mac: Mac) -> None:
    assert mac.anka("run", "tpl", "echo", "up").stdout == b"up\n"
    assert mac.anka("-j", "show", "tpl", "status").body == "running"


def test_run_in_the_background_answers_with_the_pid(shared: Any, eventually: Any) -> None:
    mac = shared[0]
    answer = mac.anka("-j", "run", "-b", "vm", "sh", "-c", "echo $$ > pid")
    assert answer.code == 0
    written = mac.guest_home("vm") / "pid"
    eventually(lambda: written.exists() and written.read_text().strip() == str(answer.body), "the pid is written")


def _waiting(mac: Mac) -> tuple[subprocess.Popen[bytes], int]:
    """A command that runs in the VM until it is ended, and its pid."""
    running = mac.popen("run", "tpl", "sh", "-c", "echo $$; exec sleep 600")
    assert running.stdout is not None
    return running, int(running.stdout.readline())


def _gone(pid: int) -> bool:
    """Ended, though perhaps not yet waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.mark.parametrize(
    "stop", [["stop", "tpl"], ["stop", "-f", "tpl"], ["suspend", "tpl"], ["delete", "--yes", "tpl"]]
)
def test_stopping_the_vm_ends_its_commands(mac: Mac, eventually: Any, stop: list[str]) -> None:
    running, pid = _waiting(mac)
    assert mac.anka(*stop).code == 0
    assert running.wait(timeout=60) == LOST
    eventually(lambda: _gone(pid), "the guest's process is gone")


def test_a_process_that_left_its_session_dies_too(mac: Mac, eventually: Any) -> None:
    script = "setsid sh -c 'echo $$ > pid; exec sleep 600' >/dev/null 2>&1 </dev/null &"
    assert mac.anka("run", "tpl", "sh", "-c", script).code == 0
    written = mac.guest_home("tpl") / "pid"
    eventually(lambda: written.exists() and written.read_text().strip(), "the pid is written")
    pid = int(written.read_text())
    assert not _gone(pid)
    mac.anka("stop", "-f", "tpl")
    eventually(lambda: _gone(pid), "the guest's process is gone")


def test_killing_anka_hangs_its_command_up(mac: Mac, eventually: Any) -> None:
    running, pid = _waiting(mac)
    running.kill()
    running.wait()
    eventually(lambda: _gone(pid), "the guest's process is gone")
    assert mac.anka("-j", "show", "tpl", "status").body == "running"


def test_cp_cannot_leave_the_guest(shared: Any, tmp_path: Path) -> None:
    mac = shared[0]
    (tmp_path / "file").write_text("x")
    assert mac.anka("cp", str(tmp_path / "file"), "vm:/../../../../escaped").code == 0
    assert (mac.guest_home("vm").parents[1] / "escaped").read_text() == "x"
