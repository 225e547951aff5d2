"""Who cannot sign is no replica, and what was signed once is good once."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anka_shim.replicas.signature import (
    MOST_REMEMBERED,
    WINDOW_SECONDS,
    ForgedError,
    QuestionCheck,
    check_answer,
    sign_answer,
    sign_question,
)

KEY, NOW, NONCE, TARGET = b"k" * 32, 1_800_000_000.5, "0f" * 16, "/peer/reached?from=two&version=7"
HEADER = sign_question(KEY, NOW, NONCE, "GET", TARGET)


def test_a_good_question_counts_once() -> None:
    check = QuestionCheck()
    check.check(KEY, NOW, HEADER, "GET", TARGET)
    with pytest.raises(ForgedError, match="asked before"):
        check.check(KEY, NOW + 1, HEADER, "GET", TARGET)
    check.check(KEY, NOW, sign_question(KEY, NOW, "1" * 32, "GET", TARGET), "GET", TARGET)


@pytest.mark.parametrize("drift", [-WINDOW_SECONDS - 2, WINDOW_SECONDS + 2])
def test_an_old_question_and_one_of_a_wrong_clock(drift: int) -> None:
    with pytest.raises(ForgedError, match="from this replica's clock"):
        QuestionCheck().check(KEY, NOW + drift, HEADER, "GET", TARGET)


def test_it_is_never_good_again_whenever_it_is_replayed() -> None:
    """A question from a clock that is ahead is good for longest."""
    check = QuestionCheck()
    ahead = sign_question(KEY, NOW + WINDOW_SECONDS, NONCE, "GET", TARGET)
    check.check(KEY, NOW, ahead, "GET", TARGET)
    for later in range(4 * WINDOW_SECONDS):
        with pytest.raises(ForgedError):
            check.check(KEY, NOW + later, ahead, "GET", TARGET)
        other = sign_question(KEY, NOW + later, f"{later:032x}", "GET", TARGET)
        check.check(KEY, NOW + later, other, "GET", TARGET)


@given(st.integers(min_value=0, max_value=len(HEADER) - 1), st.sampled_from(string.hexdigits + " \n\x00é"))
def test_no_changed_character_passes(place: int, letter: str) -> None:
    changed = HEADER[:place] + letter + HEADER[place + 1 :]
    if changed != HEADER:
        with pytest.raises(ForgedError):
            QuestionCheck().check(KEY, NOW, changed, "GET", TARGET)


@given(st.text(max_size=120), st.text(max_size=60))
def test_anything_else_is_forged(header: str, target: str) -> None:
    with pytest.raises(ForgedError):
        QuestionCheck().check(KEY, NOW, header, "GET", target)


@pytest.mark.parametrize(
    ("key", "method", "target"),
    [(b"o" * 32, "GET", TARGET), (KEY, "POST", TARGET), (KEY, "GET", TARGET + "0"), (KEY, "GET", "/peer/reached")],
)
def test_it_is_for_one_key_method_and_target(key: bytes, method: str, target: str) -> None:
    with pytest.raises(ForgedError, match="not signed with our"):
        QuestionCheck().check(key, NOW, HEADER, method, target)


def test_an_answer_belongs_to_its_question_and_to_the_key() -> None:
    signed = sign_answer(KEY, HEADER, b'{"seen": "7"}')
    check_answer(KEY, HEADER, b'{"seen": "7"}', signed)
    for key, question, body in (
        (b"o" * 32, HEADER, b'{"seen": "7"}'),
        (KEY, HEADER + " ", b'{"seen": "7"}'),
        (KEY, HEADER, b'{"seen": "8"}'),
    ):
        with pytest.raises(ForgedError, match="--peer-key-file"):
            check_answer(key, question, body, signed)
    with pytest.raises(ForgedError):
        check_answer(KEY, HEADER, b"", HEADER.split()[-1])


def test_the_memory_is_bounded_and_clears(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anka_shim.replicas.signature.MOST_REMEMBERED", 3)
    assert MOST_REMEMBERED > 3
    check = QuestionCheck()

    def ask(number: int, now: float) -> None:
        check.check(KEY, now, sign_question(KEY, now, f"{number:032x}", "GET", TARGET), "GET", TARGET)

    for number in range(3):
        ask(number, NOW)
    with pytest.raises(ForgedError, match="too many"):
        ask(3, NOW)
    ask(3, NOW + 2 * WINDOW_SECONDS + 1)
