"""A secret that is replaced while we run."""

from __future__ import annotations

from pathlib import Path

import pytest

from anka_runtime.secret_file import REREAD_SECONDS, SecretFile, read_secret
from support.manual_clock import ManualClock


def test_it_is_read_again_and_what_is_no_secret_changes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, clock = tmp_path / "token", ManualClock()
    path.write_text("the first one\n")
    file = SecretFile(path, clock, shortest=10)
    assert file.content() == b"the first one"
    for broken in ("short", None, b"\xff" * 20):
        if broken is None:
            path.unlink()
        else:
            path.write_bytes(broken if isinstance(broken, bytes) else broken.encode())
        clock.advance(REREAD_SECONDS)
        assert file.content() == b"the first one"
        assert "stays in use" in caplog.text
        caplog.clear()
    path.write_text("  the second one ")
    assert file.content() == b"the first one", "not at every request"
    clock.advance(REREAD_SECONDS)
    assert file.content() == b"the second one"


@pytest.mark.parametrize(
    ("content", "told"), [("short", "must have at least 10 characters, and has 5"), (None, "cannot be read: No such")]
)
def test_what_is_wrong_is_said_without_the_secret(tmp_path: Path, content: str | None, told: str) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ValueError, match=told) as error:
        read_secret(path, 10)
    assert "short" not in str(error.value)
