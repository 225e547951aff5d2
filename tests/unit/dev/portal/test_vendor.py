"""Libraries of others are served as they were taken."""

from __future__ import annotations

import io
import json
import re
import shutil
import tarfile
from pathlib import Path

import pytest

from anka_dev.portal import vendor
from anka_dev.repository import ROOT
from localkube.errors import DevError


def test_what_is_here_is_what_was_taken() -> None:
    assert vendor.find_differences() == []


def test_each_package_has_its_licence() -> None:
    for package in vendor.read_list():
        assert package["license"] in {"BSD-3-Clause", "MIT", "Apache-2.0"}
        assert (vendor.FOLDER / f"{package['name']}-{package['version']}" / "LICENSE").stat().st_size > 500


def test_no_file_names_where_packages_come_from() -> None:
    files = [path for path in (ROOT / "dev/portal").glob("*") if path.is_file()]
    for path in [*files, *(path for path in vendor.FOLDER.rglob("*") if path.is_file())]:
        assert not re.search(r'"resolved"|registry\.', path.read_text()), path


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: (folder / "lit-html-3.3.3/lit-html.js").write_text("alert(1)"), "was changed"),
        (lambda folder: (folder / "lit-html-3.3.3/LICENSE").unlink(), "is missing"),
        (lambda folder: (folder / "more.js").write_text(""), "is not in vendor.json"),
    ],
)
def test_a_change_is_found(spoil: object, words: str, tmp_path: Path) -> None:
    folder = tmp_path / "vendor"
    shutil.copytree(vendor.FOLDER, folder)
    spoil(folder)  # type: ignore[operator]
    assert [words in line for line in vendor.find_differences(folder)] == [True]


def archive_of(files: dict[str, str], path: Path) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    return path


def test_taking_a_package(tmp_path: Path) -> None:
    files = dict.fromkeys(vendor.files_of("lit-html"), "text") | {
        "package.json": json.dumps({"license": "BSD-3-Clause"}),
        "development/lit-html.js": "not wanted",
    }
    entry = vendor.take("lit-html", "9.9.9", archive_of(files, tmp_path / "a.tgz"), tmp_path / "vendor")
    (tmp_path / "vendor/vendor.json").write_text(json.dumps({"packages": [entry]}))
    assert vendor.find_differences(tmp_path / "vendor") == []
    assert set(entry["files"]) == set(vendor.files_of("lit-html"))


def test_a_package_without_one_of_the_files_is_refused(tmp_path: Path) -> None:
    archive = archive_of({"package.json": "{}", "LICENSE": "text"}, tmp_path / "a.tgz")
    with pytest.raises(DevError, match=r"has no async-directive\.js"):
        vendor.take("lit-html", "9.9.9", archive, tmp_path / "vendor")


def test_other_packages_are_refused() -> None:
    with pytest.raises(DevError, match="unknown: left-pad"):
        vendor.vendor({"left-pad": "1.0.0"})
