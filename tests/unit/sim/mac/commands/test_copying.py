"""`anka cp`, with the flags that clients use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from anka_sim.mac.harness import Mac


@pytest.fixture(scope="module")
def mac(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mac]:
    with Mac(tmp_path_factory.mktemp("guests") / "mac") as mac:
        mac.anka("create", "vm")
        mac.anka("start", "vm")
        yield mac


def make_tree(path: Path) -> Path:
    """A tree with what checkouts and build products have: modes, links, empty directories, odd names."""
    (path / "deep" / "er").mkdir(parents=True)
    (path / "empty").mkdir()
    (path / "deep" / "er" / "data").write_bytes(bytes(range(256)))
    (path / "run me").write_text("#!/bin/sh\n")
    (path / "run me").chmod(0o755)
    (path / "secret").write_text("x")
    (path / "secret").chmod(0o600)
    (path / "link").symlink_to("deep/er/data")
    (path / "to-directory").symlink_to("deep")
    (path / "dangling").symlink_to("nowhere")
    os.utime(path / "secret", (1_700_000_000, 1_700_000_000))
    return path


def listing(path: Path) -> dict[str, str]:
    found = {}
    for entry in sorted(path.rglob("*")):
        if entry.is_symlink():
            kind = f"-> {os.readlink(entry)}"
        elif entry.is_dir():
            kind = "directory"
        else:
            kind = f"{entry.stat().st_mode & 0o777:o} {entry.read_bytes()[:9]!r}"
        found[str(entry.relative_to(path))] = kind
    return found


@pytest.mark.parametrize("flags", ["-a", "-fa", "-fRH", "-pR", "-R"])
def test_trees_with_their_links_and_modes(mac: Mac, tmp_path: Path, flags: str) -> None:
    source = make_tree(tmp_path / "source")
    assert mac.anka("-j", "cp", flags, str(source), f"vm:there{flags}").code == 0
    assert listing(mac.guest_home("vm") / f"there{flags}") == listing(source)
    assert mac.anka("-j", "cp", flags, f"vm:there{flags}", str(tmp_path / "back")).code == 0
    assert listing(tmp_path / "back") == listing(source)
    kept = (tmp_path / "back" / "secret").stat().st_mtime == 1_700_000_000
    assert kept == ("a" in flags or "p" in flags)


def test_l_follows_every_link(mac: Mac, tmp_path: Path) -> None:
    source = make_tree(tmp_path / "source")
    (source / "dangling").unlink()
    assert mac.anka("-j", "cp", "-pRLf", str(source), "vm:followed").code == 0
    copied = mac.guest_home("vm") / "followed"
    assert not [entry for entry in copied.rglob("*") if entry.is_symlink()]
    assert (copied / "link").read_bytes() == (copied / "to-directory" / "er" / "data").read_bytes() == bytes(range(256))
    (source / "loop").symlink_to(".")
    assert (
        mac.anka("-j", "cp", "-RL", str(source), "vm:cycle")
        .envelope["message"]
        .endswith("loop: directory causes a cycle")
    )


def test_a_named_link(mac: Mac, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("data")
    (tmp_path / "named").symlink_to("file")
    home = mac.guest_home("vm")
    for flags, is_link in (("-a", True), ("-R", True), ("-P", True), ("-f", False), ("-fRH", False), ("-pRLf", False)):
        assert mac.anka("cp", flags, str(tmp_path / "named"), f"vm:named{flags}").code == 0
        assert (home / f"named{flags}").is_symlink() == is_link, flags


INTO = [
    ("source", "vm:new", "new/file"),
    ("source", "vm:held", "held/source/file"),
    ("source/", "vm:held/slash", "held/slash/file"),
    ("source/.", "vm:held", "held/file"),
    ("source/file", "vm:held", "held/file"),
    ("source/file", "vm:made/for/it", "made/for/it"),
    ("source/file", "vm:made/inside/", "made/inside/file"),
    ("source", "vm:", "source/file"),
    ("source", "vm:/private/var/tmp/cache", "../../private/var/tmp/cache/file"),
    ("source", "vm:/var/tmp/cache2", "../../private/var/tmp/cache2/file"),
    ("source", "vm:~/tilde", "tilde/file"),
]


@pytest.mark.parametrize(("source", "target", "arrived"), INTO, ids=[f"{row[0]} {row[1]}" for row in INTO])
def test_where_it_arrives(mac: Mac, tmp_path: Path, source: str, target: str, arrived: str) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "file").write_text("data")
    (mac.guest_home("vm") / "held").mkdir(exist_ok=True)
    assert mac.anka("cp", "-a", f"{tmp_path}/{source}", target).code == 0
    assert (mac.guest_home("vm") / arrived).read_text() == "data"


def test_several_sources(mac: Mac, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_text(name)
    both = [str(tmp_path / "one"), str(tmp_path / "two")]
    assert mac.anka("-j", "cp", *both, "vm:not-there").envelope["message"] == "cp: vm:not-there is not a directory"
    assert mac.anka("cp", *both, "vm:several/").code == 0
    assert mac.anka("cp", "vm:several/one", "vm:several/two", str(tmp_path / "back") + "/").code == 0
    assert (tmp_path / "back" / "two").read_text() == "two"


REFUSED = [
    (["vm:missing", "{host}/x"], "cp: vm:missing: No such file or directory"),
    (["{host}/missing", "vm:x"], "cp: {host}/missing: No such file or directory"),
    (["{host}/directory", "vm:x"], "cp: {host}/directory is a directory (not copied)"),
    (["{host}/file", "{host}/other"], "cp: one side must be VM:PATH, the other a path on the host"),
    (["vm:a", "vm:b"], "cp: one side must be VM:PATH, the other a path on the host"),
    (["{host}/file", "who:x"], "who: not found"),
]


@pytest.mark.parametrize(("args", "message"), REFUSED, ids=[" ".join(row[0]) for row in REFUSED])
def test_refusals(mac: Mac, tmp_path: Path, args: list[str], message: str) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "file").write_text("x")
    answer = mac.anka("-j", "cp", *(arg.format(host=tmp_path) for arg in args))
    assert answer.envelope["status"] == "ERROR"
    assert answer.envelope["message"] == message.format(host=tmp_path)


def test_n_keeps_and_f_replaces(mac: Mac, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("new")
    there = mac.guest_home("vm") / "kept"
    there.write_text("old")
    assert mac.anka("cp", "-n", str(tmp_path / "file"), "vm:kept").code == 0
    assert there.read_text() == "old"
    there.unlink()
    there.symlink_to("/nowhere/at/all")
    assert mac.anka("cp", "-f", str(tmp_path / "file"), "vm:kept").code == 0
    assert (mac.guest_home("vm").parents[1] / "nowhere/at/all").read_text() == "new"


def test_a_guests_links_lead_nowhere_but_into_the_guest(mac: Mac, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_text("of the host")
    home = mac.guest_home("vm")
    (home / "trap").symlink_to(tmp_path / "outside")
    (home / "up").symlink_to("../../../../../../../.." + str(tmp_path / "outside"))
    (tmp_path / "file").write_text("of the guest")
    for link in ("trap", "up"):
        assert mac.anka("cp", f"vm:{link}/file", str(tmp_path / "stolen")).code == 1
    for link in ("trap", "up"):
        assert mac.anka("cp", str(tmp_path / "file"), f"vm:{link}/file").code == 0
    tree = tmp_path / "tree"
    (tree / "trap").mkdir(parents=True)
    (tree / "trap" / "file").write_text("of the guest")
    mac.anka("cp", "-R", f"{tree}/.", "vm:")
    assert (tmp_path / "outside" / "file").read_text() == "of the host"
    assert not (tmp_path / "stolen").exists()
