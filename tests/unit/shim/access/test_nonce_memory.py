from __future__ import annotations

from collections import deque

import pytest

from anka_shim.access import nonce_memory
from anka_shim.access.nonce_memory import NonceMemory


def test_once_and_forgotten_when_it_has_expired() -> None:
    memory = NonceMemory()
    assert memory.take(b"a", 10, 0)
    assert not memory.take(b"a", 10, 9)
    assert memory.take(b"b", 20, 10)
    assert list(memory._until) == [b"b"]


def test_its_size_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nonce_memory, "MOST_NONCES", 3)
    memory = NonceMemory()
    deque((memory.take(bytes([number]), 10, 0) for number in range(5)), 0)
    assert list(memory._until) == [b"\2", b"\3", b"\4"]
