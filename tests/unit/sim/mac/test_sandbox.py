"""A guest's paths on the host."""

from __future__ import annotations

from pathlib import Path

import pytest

from anka_sim.mac import sandbox

PATHS = [
    ("", "/r/Users/anka"),
    ("~", "/r/Users/anka"),
    ("~/x", "/r/Users/anka/x"),
    ("x/y", "/r/Users/anka/x/y"),
    ("/", "/r"),
    ("/tmp/x", "/r/tmp/x"),
    ("/r/Users/anka/x", "/r/Users/anka/x"),
    ("/r", "/r"),
    ("../../../../etc", "/r/etc"),
    ("/../../etc", "/r/etc"),
    ("/r/../etc", "/r/etc"),
    ("~/../../../etc", "/r/etc"),
    ("/rx/file", "/r/rx/file"),
]


@pytest.mark.parametrize(("guest", "host"), PATHS, ids=[row[0] for row in PATHS])
def test_locate(guest: str, host: str) -> None:
    assert sandbox.locate("/r", guest) == host


LINKS = [
    ("/var/tmp/x", "private/var/tmp/x"),
    ("/private/tmp/x", "tmp/x"),
    ("absolute/x", "tmp/x"),
    ("up/x", "etc/x"),
    ("last", "tmp"),
    ("last/..", ""),
    ("loop/x", "Users/anka/loop/x"),
]


@pytest.mark.parametrize(("guest", "host"), LINKS, ids=[row[0] for row in LINKS])
def test_links_lead_where_they_lead_in_the_guest(tmp_path: Path, guest: str, host: str) -> None:
    root = Path(sandbox.make(str(tmp_path / "root")))
    links = {"absolute": "/tmp", "up": "../../../../../../etc", "last": "/private/tmp", "loop": "loop"}
    for name, target in links.items():
        (root / "Users/anka" / name).symlink_to(target)
    assert sandbox.locate(str(root), guest) == str(root / host)
    assert sandbox.locate(str(root), "last", follow=False) == str(root / "Users/anka/last")


def test_pack_and_unpack(tmp_path: Path) -> None:
    root = Path(sandbox.make(str(tmp_path / "root")))
    (root / "Users" / "anka" / "script").write_text("x")
    (root / "Users" / "anka" / "script").chmod(0o755)
    (root / "Users" / "anka" / "link").symlink_to("/Applications/X.app")
    with open(tmp_path / "image", "wb") as file:
        sandbox.pack(str(root), file)
    with open(tmp_path / "image", "rb") as file:
        sandbox.unpack(file, str(tmp_path / "copy"))
    copied = tmp_path / "copy" / "Users" / "anka" / "script"
    assert copied.read_text() == "x"
    assert copied.stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "copy" / "tmp").is_dir()
    assert str((copied.parent / "link").readlink()) == "/Applications/X.app"
