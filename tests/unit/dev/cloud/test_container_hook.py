"""Our programs in a container that is a plain process; each in a process of its own, for the hook changes it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from anka_dev.cloud import container_hook
from anka_shim.replicas.peers import Peers

ENVIRONMENT = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": "1"}


def test_the_service_account_is_where_it_was_mounted(tmp_path: Path) -> None:
    """A program of ours finds no token there, and says where it looked."""
    (tmp_path / "names.json").write_text(json.dumps({}))
    words = [container_hook.HOOK, str(tmp_path / "account"), str(tmp_path / "names.json"), "anka-operator"]
    done = subprocess.run(
        [sys.executable, "-m", "localkube.pods.process_entry", *words],
        env=ENVIRONMENT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert f"its service account in {tmp_path / 'account'} cannot be used" in done.stderr


async def test_replicas_are_looked_up_by_python(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Peers.__init__.__kwdefaults__ is not None
    monkeypatch.setattr(Peers.__init__, "__kwdefaults__", dict(Peers.__init__.__kwdefaults__))
    container_hook.resolve_peers()
    assert Peers.__init__.__kwdefaults__ is not None
    assert ("127.0.0.1", 80) in await Peers.__init__.__kwdefaults__["resolve"]("127.0.0.1", 80)
    assert not asyncio.iscoroutine(Peers.__init__.__kwdefaults__["resolve"])
