"""The pictures in the documentation show the pages as they are."""

from __future__ import annotations

import json
from pathlib import Path

from anka_dev.portal.screenshots.manifest import MANIFEST, find_differences, hash_files, hash_pages, make_manifest


def test_the_pictures_are_current() -> None:
    differences = find_differences(json.loads(MANIFEST.read_text()), make_manifest())
    assert not differences, f"{'; '.join(differences)}: run make screenshots"


def test_a_changed_page_is_seen_and_a_changed_type_is_not(tmp_path: Path) -> None:
    (tmp_path / "core").mkdir()
    page, types = tmp_path / "core/app.js", tmp_path / "core/types.d.ts"
    page.write_text("one")
    types.write_text("one")
    before = hash_pages(tmp_path)
    types.write_text("two")
    assert hash_pages(tmp_path) == before
    page.write_text("two")
    assert hash_pages(tmp_path) != before


def test_a_renamed_file_is_seen(tmp_path: Path) -> None:
    one, other = tmp_path / "one.js", tmp_path / "other.js"
    for path in (one, other):
        path.write_text("same")
    assert hash_files([one], tmp_path) != hash_files([other], tmp_path)
    assert hash_files([one, other], tmp_path) == hash_files([other, one], tmp_path)


def test_each_difference_has_its_words() -> None:
    kept = {"pages": "a", "scenario": "a", "pictures": {"fleet.png": "a"}}
    assert find_differences(kept, kept) == []
    assert find_differences({}, kept) == [
        "the portal's pages changed",
        "the scenario changed",
        "the files differ",
    ]
    assert find_differences(kept, kept | {"pages": "b"}) == ["the portal's pages changed"]
