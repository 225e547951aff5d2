"""`fastjson` is `json`, value for value."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anka_sim.mac import fastjson

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(VALUES)
def test_dumps_as_json(value: Any) -> None:
    assert fastjson.dumps(value) == json.dumps(value)


@given(VALUES)
def test_loads_as_json(value: Any) -> None:
    assert fastjson.loads(f" {json.dumps(value, indent=1)}\n") == value


@pytest.mark.parametrize("text", ["", "{", "[1,", '{"a" 1}', "nope", "1 2", '"open', "{} x"])
def test_what_is_not_json_is_refused_in_a_fresh_process(text: str) -> None:
    # Fresh, because the scanner behaves differently once somebody has imported json.
    program = (
        "import sys; sys.path.append(sys.argv[1]); from anka_sim.mac import fastjson\n"
        "try: fastjson.loads(sys.argv[2])\nexcept ValueError: print('refused')"
    )
    root = str(Path(fastjson.__file__).parents[2])
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program, root, text], capture_output=True, check=True)
    assert done.stdout == b"refused\n"


def test_dumps_refuses_what_json_refuses() -> None:
    with pytest.raises(TypeError, match="object is not JSON"):
        fastjson.dumps(object())
