"""`anka-shim translate-env`: values on standard output, the rest on standard error, one line each."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import yaml

from anka_shim.cli import translate_env
from anka_shim.cli.main import main

ENVIRONMENT = """
export ANKA_ANKA_REGISTRY="http://anka.registry:8089"
ANKA_ROOT_TOKEN='verysecret1234'
ANKA_ENABLE_AUTH=true
ANKA_QUEUE_ADDR=:8100
"""


def test_values_and_remarks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "anka.env"
    file.write_text(ENVIRONMENT)
    assert main(["translate-env", str(file)]) == 0
    printed = capsys.readouterr()
    values = yaml.safe_load(printed.out)
    assert values["registry"] == {"url": "http://anka.registry:8089"}
    assert values["auth"]["enabled"] is True
    lines = printed.err.splitlines()
    assert [line.split(": ")[1] for line in lines] == ["ANKA_ROOT_TOKEN", "ANKA_ENABLE_AUTH", "ANKA_QUEUE_ADDR"]
    assert all(line.startswith("anka-shim translate-env: ANKA_") for line in lines)
    assert "verysecret1234" not in printed.out + printed.err


def test_stdin(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbfANKA_V=1\n")))
    assert main(["translate-env", "-"]) == 0
    assert yaml.safe_load(capsys.readouterr().out) == {"logs": {"level": "DEBUG"}}


def test_a_wrong_setting_leaves_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "anka.env"
    file.write_text("ANKA_INSTANCE_TIME_OUT=soon\nANKA_V=0\nANKA_ENABLE_AUTH=\n")
    assert main(["translate-env", str(file)]) == translate_env.WRONG_SETTINGS
    printed = capsys.readouterr()
    assert yaml.safe_load(printed.out) == {"logs": {"level": "INFO"}}
    assert printed.err == ("anka-shim translate-env: ANKA_INSTANCE_TIME_OUT: must be a duration, such as 1m30s\n")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"\xff\xfe", "cannot be read: it is not UTF-8"),
        (b"ANKA_V", ": line 1: must be NAME=VALUE"),
        (b"#" * (translate_env.MOST_BYTES + 1), "is larger than 1048576 bytes: that is no environment"),
    ],
)
def test_a_file_that_cannot_be_read(
    content: bytes | None, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "anka.env"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SystemExit) as end:
        main(["translate-env", str(file)])
    assert end.value.code == 2
    [line] = capsys.readouterr().err.splitlines()
    assert said in line
