import pytest

from anka_crds.process.extras import require
from anka_crds.process.settings import USAGE


def test_a_missing_extra_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        require("anka-x", "x", "json", "no_such_module")
    assert ended.value.code == USAGE
    assert capsys.readouterr().err == "anka-x: no_such_module not installed: pip install 'anka-cloud[x]'\n"


def test_nothing_is_said_when_all_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    require("anka-x", "x", "json")
    assert capsys.readouterr().err == ""
