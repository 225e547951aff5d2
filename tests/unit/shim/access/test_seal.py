"""What is sealed is accepted as it is, for what it was sealed, until its end: nothing else is."""

from __future__ import annotations

import re
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from anka_shim.access.seal import NONCE_BYTES, Purpose, Seal, close, reopen

KEYS = [b"the key that seals, of 32 letters", b"the key before it, of 32 letters"]
seals = st.builds(
    Seal, st.binary(min_size=NONCE_BYTES, max_size=NONCE_BYTES), st.integers(min_value=1, max_value=2**40 - 1)
)
purposes = st.sampled_from(get_args(Purpose))
facts = st.lists(st.text(max_size=8), max_size=4)


@given(seals, purposes, facts)
def test_it_is_good_until_its_end(seal: Seal, purpose: Purpose, facts: list[str]) -> None:
    text = close(seal, purpose, facts, KEYS[0])
    assert re.fullmatch(r"[A-Za-z0-9_-]{50}", text), "spliced into JSON unescaped, and fits into RSA of 2048 bits"
    assert reopen(text, purpose, facts, KEYS, seal.until - 0.001) == seal
    assert reopen(text, purpose, facts, KEYS, seal.until) is None


@given(seals, purposes, facts, st.data())
def test_any_other_text_is_refused(seal: Seal, purpose: Purpose, facts: list[str], data: st.DataObject) -> None:
    text = close(seal, purpose, facts, KEYS[0])
    at = data.draw(st.integers(min_value=0, max_value=len(text) - 1))
    other = data.draw(st.characters().filter(lambda letter: letter != text[at]))
    for wrong in (text[:at] + other + text[at + 1 :], text[:at], text + "=", text + other, ""):
        assert reopen(wrong, purpose, facts, KEYS, 0) is None


@given(seals, facts, facts)
def test_it_vouches_for_these_facts_and_this_purpose_only(seal: Seal, facts: list[str], others: list[str]) -> None:
    text = close(seal, "handshake", facts, KEYS[0])
    assert reopen(text, "session", facts, KEYS, 0) is None
    assert (reopen(text, "handshake", others, KEYS, 0) is not None) == (others == facts)


@given(seals, facts)
def test_keys_are_changed_without_ending_sessions(seal: Seal, facts: list[str]) -> None:
    text = close(seal, "session", facts, KEYS[1])
    assert reopen(text, "session", facts, KEYS, 0) == seal
    assert reopen(text, "session", facts, KEYS[:1], 0) is None
