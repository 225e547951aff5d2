"""`anka run`, `anka cp` and real SSH into VMs that run."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from anka_dev.mac.harness import Mac

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


def ssh(
    mac: Mac, key: Path, *command: str, options: tuple[str, ...] = (), user: str = "anka", stdin: bytes = b""
) -> Any:
    port = mac.anka("-j", "show", "vm", "port").body[0]["host_port"]
    return subprocess.run(
        ["ssh", *client_options(key), *options, "-p", str(port), f"{user}@127.0.0.1", *command],
        input=stdin,
        capture_output=True,
        timeout=60,
        check=False,
    )


def client_options(key: Path) -> list[str]:
    options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "BatchMode=yes"]
    return [
        "-F",
        "none",
        "-i",
        str(key),
        "-o",
        "IdentitiesOnly=yes",
        *(part for option in options for part in ("-o", option)),
    ]


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
    assert running.wait(timeout=20) == LOST
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


def test_cp_in_both_directions(shared: Any, tmp_path: Path) -> None:
    mac = shared[0]
    source = tmp_path / "source"
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "file").write_text("data")
    assert mac.anka("-j", "cp", "-a", str(source), "vm:").code == 0
    assert mac.anka("run", "vm", "cat", "source/deep/file").stdout == b"data"
    assert mac.anka("-j", "cp", "-fa", str(source / "deep" / "file"), "vm:/tmp/copied").code == 0
    assert mac.anka("-j", "cp", "-pRLf", "vm:/tmp/copied", str(tmp_path / "back")).code == 0
    assert (tmp_path / "back").read_text() == "data"
    assert mac.anka("-j", "cp", "vm:missing", str(tmp_path / "x")).code == 1


def test_cp_cannot_leave_the_guest(shared: Any, tmp_path: Path) -> None:
    mac = shared[0]
    (tmp_path / "file").write_text("x")
    assert mac.anka("cp", str(tmp_path / "file"), "vm:/../../../../escaped").code == 0
    assert (mac.guest_home("vm").parents[1] / "escaped").read_text() == "x"


SSH: list[tuple[str, bytes, int, bytes]] = [
    ("echo hello; exit 5", b"", 5, b"hello\n"),
    ("hostname; whoami", b"", 0, b"vm\nanka\n"),
    ("cat", b"piped", 0, b"piped"),
    ("", b"echo shell on stdin; exit 4\n", 4, b"shell on stdin\n"),
]


@pytest.mark.parametrize(("command", "stdin", "code", "output"), SSH, ids=[row[0] or "shell" for row in SSH])
def test_ssh(shared: Any, command: str, stdin: bytes, code: int, output: bytes) -> None:
    done = ssh(*shared, *([command] if command else []), stdin=stdin)
    assert (done.returncode, done.stdout, done.stderr) == (code, output, b"")


def test_ssh_as_admin(shared: Any) -> None:
    assert ssh(*shared, "echo in", user="admin").stdout == b"in\n"


def test_ssh_refuses_strangers(shared: Any, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "other"], check=True)
    assert ssh(shared[0], tmp_path / "other", "echo in").returncode == 255
    assert ssh(*shared, "echo in", user="root").returncode == 255


@pytest.mark.parametrize(("password", "code"), [("admin", 0), ("wrong", 255)])
def test_ssh_with_a_password(shared: Any, tmp_path: Path, password: str, code: int) -> None:
    ask = tmp_path / "ask"
    ask.write_text(f"#!/bin/sh\necho {password}\n")
    ask.chmod(0o755)
    port = shared[0].anka("-j", "show", "vm", "port").body[0]["host_port"]
    done = subprocess.run(
        [
            "ssh",
            "-F",
            "none",
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "UserKnownHostsFile=/dev/null",
            "-o",
            "LogLevel=ERROR",
            "-o",
            "NumberOfPasswordPrompts=1",
            "-o",
            "PubkeyAuthentication=no",
            "-p",
            str(port),
            "anka@127.0.0.1",
            "echo in",
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
        start_new_session=True,
        env={"SSH_ASKPASS": str(ask), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0", "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == code


def test_ssh_with_a_terminal(shared: Any) -> None:
    done = ssh(*shared, "test -t 0 && stty size && echo $TERM", options=("-tt",))
    assert done.returncode == 0
    size, term = done.stdout.decode().split("\r\n")[:2]
    assert [int(number) > 0 for number in size.split()] == [True, True]
    assert term


def test_ssh_passes_much_data(shared: Any) -> None:
    data = bytes(range(256)) * 10_000
    assert ssh(*shared, "cat", stdin=data).stdout == data


@pytest.mark.parametrize("protocol", [(), ("-O",)], ids=["sftp", "scp"])
def test_scp(shared: Any, tmp_path: Path, protocol: tuple[str, ...]) -> None:
    mac, key = shared
    port = mac.anka("-j", "show", "vm", "port").body[0]["host_port"]
    (tmp_path / "there").write_text("data")
    scp = ["scp", *protocol, *client_options(key), "-P", str(port)]
    subprocess.run([*scp, tmp_path / "there", "anka@127.0.0.1:arrived"], check=True, timeout=60)
    assert (mac.guest_home("vm") / "arrived").read_text() == "data"
    subprocess.run([*scp, "anka@127.0.0.1:arrived", tmp_path / "back"], check=True, timeout=60)
    assert (tmp_path / "back").read_text() == "data"


def test_stopping_the_vm_cuts_ssh(make_mac: Callable[..., Mac], tmp_path: Path) -> None:
    mac = make_mac()
    mac.anka("create", "vm")
    mac.anka("start", "vm")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"], check=True)
    keys = mac.guest_home("vm") / ".ssh"
    keys.mkdir()
    shutil.copy(tmp_path / "key.pub", keys / "authorized_keys")
    port = mac.anka("-j", "show", "vm", "port").body[0]["host_port"]
    command = ["ssh", *client_options(tmp_path / "key"), "-p", str(port), "anka@127.0.0.1", "echo in; exec sleep 600"]
    session = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert session.stdout is not None
    assert session.stdout.readline() == b"in\n"
    mac.anka("stop", "-f", "vm")
    assert session.wait(timeout=20) == 255
    assert (mac.directory / "host.log").read_text() == ""
    refused = subprocess.run(command, capture_output=True, timeout=20, check=False)
    assert b"refused" in refused.stderr or refused.returncode == 255
