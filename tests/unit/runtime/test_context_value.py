from __future__ import annotations

import contextvars

import pytest

from anka_runtime.context_value import ContextValue

VARIABLE = contextvars.ContextVar("variable", default=0)


def test_a_value_holds_for_the_block_and_no_longer() -> None:
    with ContextValue(VARIABLE, 1):
        with ContextValue(VARIABLE, 2):
            assert VARIABLE.get() == 2
        assert VARIABLE.get() == 1
    assert VARIABLE.get() == 0


def test_an_error_ends_it_and_is_passed_on() -> None:
    with pytest.raises(ValueError, match="why"), ContextValue(VARIABLE, 1):
        raise ValueError("why")
    assert VARIABLE.get() == 0
