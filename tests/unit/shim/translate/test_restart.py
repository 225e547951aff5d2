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
        assert restart(state, NOW) == {"restartedAt": "2026-01-01T10:00:00.000005Z"}
        return
    with pytest.raises(Failure) as caught:
        restart(state, NOW)
    assert caught.value.message == f"the VM can't be restarted: it is {state.value}, and must be Started or Stopped"
