"""The list of pictures: the documentation shows each, and shows no other."""

from __future__ import annotations

import re
from pathlib import Path

from anka_dev.portal.screenshots.pictures import list_pictures
from anka_dev.repository import ROOT

SHOWN = re.compile(r"images/portal/([a-z-]+\.png)")


def test_each_picture_is_in_the_documentation() -> None:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    shown = {name for page in pages for name in SHOWN.findall(page.read_text())}
    made = [picture.out.name for picture in list_pictures(Path("x"), "http://x/portal/", shown="1", waiting="2")]
    assert sorted(made) == sorted(shown)


def test_each_picture_waits_for_what_it_shows() -> None:
    pictures = list_pictures(Path("x"), "http://x/portal/", shown="a b", waiting="c&d")
    assert all(picture.see for picture in pictures)
    hashes = {picture.out.stem: picture.hash for picture in pictures}
    assert hashes["instance"] == "#/instances/a%20b"
    assert hashes["queue"] == "#/queue?open=c%26d"
