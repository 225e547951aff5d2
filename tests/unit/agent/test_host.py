from __future__ import annotations

from pathlib import Path

import pytest

from anka_agent import host

VM_STAT = """Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                               65536.
Pages active:                            300000.
Pages inactive:                          131072.
Pages speculative:                        65536.
"""


def test_hardware(tmp_path: Path) -> None:
    found = host.hardware(tmp_path)
    assert found.cpu_count >= 1
    assert found.ram_gib >= 1
    assert found.disk_size_bytes > host.free_disk_bytes(tmp_path) >= 0
    assert 0 <= host.cpu_percent() <= 100
    assert 0 <= host.ram_percent() <= 100


@pytest.mark.parametrize(
    ("machine", "arch"), [("arm64", "arm64"), ("aarch64", "arm64"), ("x86_64", "amd64"), ("AMD64", "amd64")]
)
def test_architecture(machine: str, arch: str) -> None:
    assert host.architecture(machine) == arch


def test_ram_in_use_on_macos() -> None:
    assert host.used_percent(VM_STAT, 16 << 30) == 75
    assert host.used_percent("nothing", 16 << 30) == 0


@pytest.mark.parametrize(
    ("url", "address"), [("https://127.0.0.1:6443", "127.0.0.1"), ("http://[::1]:1", "::1"), ("nonsense", None)]
)
def test_address_towards(url: str, address: str | None) -> None:
    assert host.address_towards(url) == address
