"""What tests read while others write it."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import json_lines


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("", []), ('{"n": 1}\n', [1]), ('{"n": 1}\n{"n": 2}\n', [1, 2]), ('{"n": 1}\n{"n"', [1]), ('{"n"', [])],
    ids=["nothing", "one", "two", "a part of the second", "a part of the first"],
)
def test_what_is_not_complete_yet_is_left_out(tmp_path: Path, text: str, numbers: list[int]) -> None:
    file = tmp_path / "log"
    file.write_text(text)
    assert [line["n"] for line in json_lines.read(file)] == numbers
