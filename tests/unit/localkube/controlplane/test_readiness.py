import ssl
import sys
from pathlib import Path

import pytest

from localkube.controlplane.certificates import make_pki
from localkube.controlplane.ports import pick
from localkube.controlplane.process import Component
from localkube.controlplane.readiness import ApiProbe, wait_until
from localkube.errors import DevError


def component(tmp_path: Path, program: str) -> Component:
    return Component("etcd", [sys.executable, "-c", program], tmp_path / "etcd.log", tmp_path)


def test_it_returns_once_ready(tmp_path: Path) -> None:
    running = component(tmp_path, "import signal; signal.pause()")
    answers = iter([False, True])
    wait_until(lambda: next(answers), [running], running, 30)
    assert next(answers, None) is None
    running.stop()


def test_a_component_that_ends_is_named_at_once(tmp_path: Path) -> None:
    dead = component(tmp_path, "raise SystemExit('no space left')")
    with pytest.raises(DevError) as error:
        wait_until(lambda: False, [dead], dead, 30)
    assert str(error.value) == f"etcd ended with code 1: no space left (log: {tmp_path / 'etcd.log'})"


def test_patience_ends(tmp_path: Path) -> None:
    running = component(tmp_path, "import signal; signal.pause()")
    with pytest.raises(DevError, match=r"^etcd is not ready after 0 s; its last line: it wrote nothing \(log: "):
        wait_until(lambda: False, [running], running, 0)
    running.stop()


def test_nobody_listening_is_not_ready(tmp_path: Path) -> None:
    probe = ApiProbe(pick().api, make_pki(tmp_path))
    assert not probe.ok("/readyz")
    assert probe._tls.verify_mode == ssl.CERT_REQUIRED
