"""Real SSH, SFTP and SCP into VMs that run."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from anka_sim.mac.harness import Mac


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


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256"])
def test_clients_choose_the_host_key(shared: Any, kind: str) -> None:
    done = ssh(*shared, "echo in", options=("-o", f"HostKeyAlgorithms={kind}"))
    assert (done.returncode, done.stdout) == (0, b"in\n")


def test_the_host_keys_stay(shared: Any, tmp_path: Path) -> None:
    known = tmp_path / "known"
    for strict in ("accept-new", "yes"):
        remembering = ("-o", f"UserKnownHostsFile={known}", "-o", f"StrictHostKeyChecking={strict}")
        mac, key = shared
        port = mac.anka("-j", "show", "vm", "port").body[0]["host_port"]
        command = ["ssh", *remembering, *client_options(key), "-p", str(port), "anka@127.0.0.1", "echo in"]
        assert subprocess.run(command, capture_output=True, timeout=60, check=False).stdout == b"in\n"


def test_a_gitlab_job_script_on_stdin(shared: Any) -> None:
    script = (
        b"set -eo pipefail\nset +o noclobber\n: | eval $'sw_vers -productVersion; id -un; cd /tmp && pwd'\nexit 7\n"
    )
    done = ssh(*shared, stdin=script)
    assert (done.returncode, done.stdout.splitlines()[:2]) == (7, [b"15.1", b"anka"])


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
    assert session.wait(timeout=60) == 255
    assert (mac.directory / "host.log").read_text() == ""
    refused = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert b"refused" in refused.stderr or refused.returncode == 255
