"""What must not be in a line that leaves the Mac."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anka_registry.central_logs.secret_filter import HIDDEN, SecretFilter
from anka_registry.central_logs.secret_parts import LEAST

TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW0ifQ.c2lnbmF0dXJl-_"


@pytest.mark.parametrize(
    ("line", "covered"),
    [
        ("VM started", "VM started"),
        (f"sent {TOKEN}.", f"sent {HIDDEN}."),
        (f'{{"message": "Authorization: Bearer {TOKEN}"}}', f'{{"message": "Authorization: Bearer {HIDDEN}"}}'),
        ("basic cm9vdDoxMjM0NTY3ODkw", f"basic {HIDDEN}"),
        ("a basic licence", "a basic licence"),
        ("vnc://anka:hunter2@10.0.0.7:5901", f"vnc://anka:{HIDDEN}@10.0.0.7:5901"),
        ("http://registry:8089/path", "http://registry:8089/path"),
        ("password=hunter2 user=anka", f"password={HIDDEN} user=anka"),
        ("--token: abc, more", f"--token: {HIDDEN}, more"),
        ('{"vnc_password": "hunter two", "x": 1}', f'{{"vnc_password": "{HIDDEN}", "x": 1}}'),
        (
            '{"message": "said {\\"password\\": \\"a b\\"}"}',
            f'{{"message": "said {{\\"password\\": \\"{HIDDEN}\\"}}"}}',
        ),
        ("the token of this Mac was renewed", "the token of this Mac was renewed"),
        ("API_KEY = k1", f"API_KEY = {HIDDEN}"),
    ],
)
def test_what_looks_like_a_secret(line: str, covered: str) -> None:
    assert SecretFilter().cover(line) == covered


def test_a_line_of_json_stays_one() -> None:
    line = json.dumps({"message": f'password="a\\"b" and Bearer {TOKEN}', "level": "INFO"})
    assert json.loads(SecretFilter().cover(line))["level"] == "INFO"


def knowing(*secrets: str | bytes) -> SecretFilter:
    hidden = SecretFilter()
    for number, secret in enumerate(secrets):
        hidden.learn(f"owner-{number}", "script", secret)
    return hidden


def test_what_was_given() -> None:
    hidden = knowing("correct horse", b'#!/bin/sh\nset -e\nexport KEY="s3cr\xc3\xa9t"\n')
    assert hidden.cover("said correct horse!") == f"said {HIDDEN}!"
    assert hidden.cover(json.dumps({"message": 'failed: export KEY="s3crét"'})) == f'{{"message": "failed: {HIDDEN}"}}'
    assert hidden.cover("sh: #!/bin/sh: not found") == "sh: #!/bin/sh: not found"


@pytest.mark.parametrize(
    ("secrets", "text", "covered"),
    [
        (["ls -l", ""], "ls -la", "ls -la"),
        (["swordfish", "swordfish and more"], "x swordfish and more x", f"x {HIDDEN} x"),
        (["abcdefgh", "efghijkl"], "x abcdefghijkl x", f"x {HIDDEN} x"),
        (["abcdefgh", "cdefgh"], "abcdefghcdefgh-abcdefgh", f"{HIDDEN}{HIDDEN}-{HIDDEN}"),
        (["abababab"], "abababababc", f"{HIDDEN}c"),
    ],
)
def test_overlaps(secrets: list[str], text: str, covered: str) -> None:
    assert knowing(*secrets).cover(text) == covered


def test_a_secret_is_known_as_long_as_its_owner() -> None:
    hidden = knowing("first-secret", "first-secret")
    hidden.forget("owner-0")
    hidden.forget("unknown")
    assert hidden.cover("first-secret") == HIDDEN, "the other one has it, too"
    hidden.forget("owner-1")
    assert hidden.cover("first-secret") == "first-secret"


def test_a_new_value_takes_the_place_of_the_old_one() -> None:
    hidden = knowing("old-password")
    hidden.learn("owner-0", "vncPassword", "second-password")
    hidden.learn("owner-0", "script", "new-password")
    assert [hidden.cover(f"{one}-password") for one in ("old", "new", "second")] == ["old-password", HIDDEN, HIDDEN]


def test_beyond_its_memory_it_hides_everything() -> None:
    hidden = SecretFilter(most_bytes=2000)
    for number in range(9):
        hidden.learn(f"owner-{number}", "script", f"secret-{number}")
    assert hidden.cover("anything") == "anything"
    hidden.learn("large", "script", "x" * 2000)
    assert hidden.cover("anything") == HIDDEN
    hidden.forget("large")
    assert [hidden.cover(f"secret-{number}") for number in (0, 8)] == [HIDDEN, HIDDEN]


TOKENS = st.text(alphabet="abcdefABCDEF0123456789+/", min_size=12, max_size=60).filter(
    lambda one: any(map(str.isdigit, one)) and any(map(str.isalpha, one)) and "/" not in one and len(set(one)) > 5
)
NOISE = st.lists(st.text(max_size=30), max_size=40)


@settings(max_examples=200, deadline=None)
@given(
    tokens=st.lists(TOKENS, min_size=1, max_size=5),
    noise=NOISE,
    others=st.lists(st.text(max_size=300), max_size=5),
    around=st.tuples(st.text(max_size=20), st.text(max_size=20)),
    data=st.data(),
)
def test_a_secret_of_a_living_owner_never_appears(
    tokens: list[str], noise: list[str], others: list[str], around: tuple[str, str], data: st.DataObject
) -> None:
    lines = [*noise, *(f'export KEY_{number}="{token}"' for number, token in enumerate(tokens))]
    script = "\n".join(data.draw(st.permutations(lines)))
    hidden = knowing(script, *(other + "\n" + "\n".join(f"echo line {n}" for n in range(600)) for other in others))
    for number in range(1, len(others) + 1):
        if data.draw(st.booleans()):
            hidden.forget(f"owner-{number}")
    for token in tokens:
        for said in (token, f"+ export KEY={token}", script, json.dumps(script)):
            covered = hidden.cover(f"{around[0]} {said} {around[1]}")
            assert token not in covered or token in " ".join(around)


@settings(max_examples=50, deadline=None)
@given(scripts=st.lists(st.text(max_size=200), max_size=6), password=st.text(min_size=LEAST, max_size=30))
def test_what_was_forgotten_takes_no_memory(scripts: list[str], password: str) -> None:
    hidden = knowing(*scripts)
    for number in range(len(scripts)):
        hidden.learn(f"owner-{number}", "vncPassword", password)
        hidden.forget(f"owner-{number}")
    assert (hidden._owned, hidden._known, hidden._lengths, hidden._bytes) == ({}, {}, {}, 0)
