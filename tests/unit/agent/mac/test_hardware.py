from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from anka_agent.mac import hardware as host

VM_STAT = """Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                               65536.
Pages active:                            300000.
Pages inactive:                          131072.
Pages speculative:                        65536.
"""


def test_hardware(tmp_path: Path) -> None:
    found = host.read_hardware(tmp_path)
    assert found.cpu_count >= 1
    assert found.ram_gib >= 1
    assert found.disk_size_bytes > host.free_disk_bytes(tmp_path) >= 0
    assert 0 <= host.cpu_percent() <= 100
    assert 0 <= host.ram_percent() <= 100


def test_what_macos_is_asked_for_the_ram_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"/usr/bin/vm_stat": [VM_STAT, VM_STAT, ""], "/usr/sbin/sysctl": ["", f"{16 << 30}\n"]}
    asked: list[str] = []

    def run(command: tuple[str, ...], *, close_fds: bool, **options: Any) -> subprocess.CompletedProcess[str]:
        assert not close_fds, "else the agent is copied for it"
        asked.append(command[0])
        if not (said := answers[command[0]].pop(0)):
            raise FileNotFoundError(command[0])
        return subprocess.CompletedProcess(command, 0, said, "")

    host._read_memsize.cache_clear()
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(subprocess, "run", run)
    assert [host.ram_percent() for _ in range(3)] == [0, 75, 0], "once it is not told how much there is, once not used"
    assert asked.count("/usr/sbin/sysctl") == 2, "what it has does not change"
    host._read_memsize.cache_clear()


@pytest.mark.parametrize(
    ("machine", "arch"), [("arm64", "arm64"), ("aarch64", "arm64"), ("x86_64", "amd64"), ("AMD64", "amd64")]
)
def test_architecture(machine: str, arch: str) -> None:
    assert host.architecture(machine) == arch


def test_ram_in_use_on_macos() -> None:
    assert host.parse_vm_stat(VM_STAT, 16 << 30) == 75
    assert host.parse_vm_stat("nothing", 16 << 30) == 0


@pytest.mark.parametrize(
    ("url", "address"), [("https://127.0.0.1:6443", "127.0.0.1"), ("http://[::1]:1", "::1"), ("nonsense", None)]
)
def test_address_towards(url: str, address: str | None) -> None:
    assert host.address_towards(url) == address


@pytest.mark.parametrize(
    ("script", "found"),
    [
        (
            """echo '  "IOPlatformUUID" = "4C4C4544-0051-3510-8052-B4C04F4D3233"'""",
            "4C4C4544-0051-3510-8052-B4C04F4D3233",
        ),
        ("echo nothing", None),
        ("exit 1", None),
        (None, None),
    ],
)
def test_hardware_uuid(tmp_path: Path, script: str | None, found: str | None) -> None:
    if script is not None:
        (tmp_path / "ioreg").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "ioreg").chmod(0o755)
    assert host.read_hardware_uuid(str(tmp_path / "anka")) == found
