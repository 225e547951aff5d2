"""What must not be in a line that leaves the Mac."""

from __future__ import annotations

import json

import pytest

from anka_agent.central_logs.hidden import HIDDEN, MOST, Hidden

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
    assert Hidden().cover(line) == covered


def test_a_line_of_json_stays_one() -> None:
    line = json.dumps({"message": f'password="a\\"b" and Bearer {TOKEN}', "level": "INFO"})
    assert json.loads(Hidden().cover(line))["level"] == "INFO"


def test_what_was_given() -> None:
    hidden = Hidden()
    hidden.learn("correct horse")
    hidden.learn(b'#!/bin/sh\nset -e\nexport KEY="s3cr\xc3\xa9t"\n')
    assert hidden.cover("said correct horse!") == f"said {HIDDEN}!"
    assert hidden.cover(json.dumps({"message": 'failed: export KEY="s3crét"'})) == f'{{"message": "failed: {HIDDEN}"}}'
    assert hidden.cover("sh: #!/bin/sh: not found") == f"sh: {HIDDEN}: not found"


def test_short_ones_are_not_looked_for() -> None:
    hidden = Hidden()
    hidden.learn("ls -l")
    hidden.learn("")
    assert hidden.cover("ls -la") == "ls -la"


def test_a_longer_one_goes_before_its_part() -> None:
    hidden = Hidden()
    hidden.learn("swordfish")
    hidden.learn("swordfish and more")
    assert hidden.cover("x swordfish and more x") == f"x {HIDDEN} x"


def test_the_oldest_are_forgotten() -> None:
    hidden = Hidden()
    for number in range(MOST + 1):
        hidden.learn(f"secret-{number:06d}")
    assert hidden.cover("secret-000000") == "secret-000000"
    assert hidden.cover(f"secret-{MOST:06d}") == HIDDEN
