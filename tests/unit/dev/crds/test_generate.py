"""The checked-in YAML and the command that writes it."""

from pathlib import Path

import pytest
import yaml

from anka_crds.api import KINDS
from anka_dev.crds import generate


def test_the_checked_in_files_match_the_models() -> None:
    assert generate.find_drift(generate.FOLDER) == []


def test_written_files_are_up_to_date(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["--folder", str(tmp_path)]) == 0
    assert capsys.readouterr().out.count("wrote") == len(KINDS)
    assert generate.main(["--folder", str(tmp_path), "--check"]) == 0
    assert generate.main(["--folder", str(tmp_path)]) == 0
    assert capsys.readouterr().out == ""
    for name, text in generate.render().items():
        assert (tmp_path / name).read_text() == text
        assert text.startswith("# Generated")
        assert yaml.safe_load(text)["spec"]["names"]["plural"] == name.removesuffix(".yaml")


@pytest.mark.parametrize("harm", ["changed", "missing", "left over"])
def test_drift_is_named_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], harm: str) -> None:
    generate.main(["--folder", str(tmp_path)])
    capsys.readouterr()
    path = tmp_path / ("widgets.yaml" if harm == "left over" else "ankanodes.yaml")
    if harm == "missing":
        path.unlink()
    else:
        path.write_text("kind: Other\n")
    assert generate.main(["--folder", str(tmp_path), "--check"]) == 1
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"{path} does not match the models: run make crds\n")
    assert generate.main(["--folder", str(tmp_path)]) == 0
    assert generate.find_drift(tmp_path) == []
    assert path.exists() == (harm != "left over")


def test_no_folder_no_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["--folder", str(tmp_path / "nope")]) == 2
    assert capsys.readouterr().err == f"{tmp_path / 'nope'}: no such folder\n"
