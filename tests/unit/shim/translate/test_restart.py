from __future__ import annotations

from datetime import UTC, datetime

import pytest

from anka_crds.api.phase import Phase
from anka_shim.translate.failure import Failure
from anka_shim.translate.restart import restart

NOW = datetime(2026, 1, 1, 10, 0, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize("state", Phase)
def test_only_a_vm_that_has_started_is_restarted(state: Phase) -> None:
    if state in (Phase.STARTED, Phase.STOPPED):
        # Two restarts in one second are two: the agent looks for a time that it has not seen.
        assert restart(state, NOW, {}) == {"restartedAt": "2026-01-01T10:00:00.000005Z"}
        return
    with pytest.raises(Failure) as caught:
        restart(state, NOW, {})
    assert caught.value.message == f"the VM can't be restarted: it is {state.value}, and must be Started or Stopped"


@pytest.mark.parametrize(
    ("data", "changes"),
    [
        ({"usb_device": 336675856}, {"usbDevice": "336675856"}),
        ({"usb_device": "iphone7", "vnc_password": ""}, {"usbDevice": "iphone7"}),
        ({"vnc_password": "secret"}, {"vncPassword": "secret", "vncPasswordSecretRef": None}),
        ({"tag": "v2", "usb_device": None}, {}),
    ],
)
def test_what_comes_with_it(data: dict[str, object], changes: dict[str, object]) -> None:
    assert restart(Phase.STARTED, NOW, data) == {"restartedAt": "2026-01-01T10:00:00.000005Z", **changes}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"usb_device": ["x"]}, "usb_device: must be a string (given: ['x'])"),
        ({"usb_device": "x" * 257}, "usb_device: String should have at most 256 characters"),
        ({"vnc_password": "geheim" * 50}, "vnc_password: String should have at most 256 characters"),
        ({"vnc_password": {"geheim": 1}}, "vnc_password: must be a string"),
    ],
)
def test_what_can_not_be_meant(data: dict[str, object], says: str) -> None:
    with pytest.raises(Failure) as caught:
        restart(Phase.STARTED, NOW, data)
    assert caught.value.message.startswith(says)
    assert "geheim" not in caught.value.message
