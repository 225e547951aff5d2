"""The directory in which the commands of a VM really run: copying, packing, and the guest's idea of paths."""

from __future__ import annotations

import os

from anka_sim.mac import trees

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO

    from anka_sim.mac.store import MacStore

USER_HOME = "Users/anka"
# As the kernel's limit: what needs more is a loop.
MAX_LINKS = 40


def root(home: str, uuid: str) -> str:
    """The VM's file system root on the host."""
    return os.path.join(home, "vms", uuid, "root")


def make(path: str) -> str:
    """Create the directories that every guest has."""
    for part in (USER_HOME, "tmp", "private/var/tmp", "usr/local/bin"):
        os.makedirs(os.path.join(path, part), exist_ok=True)
    for link, target in (("private/tmp", "../tmp"), ("var", "private/var")):
        if not os.path.lexists(os.path.join(path, link)):
            os.symlink(target, os.path.join(path, link))
    return path


def image(home: str, name: str) -> str:
    """The file of a layer that was pulled."""
    return os.path.join(home, "images", name)


def copy(store: MacStore, source: dict[str, Any], tag: dict[str, Any] | None) -> str:
    """A staging directory with a copy of the VM's files, or with those of one of its tags."""
    home = store.path
    assert home is not None
    staged = store.staging("clone")
    target = os.path.join(staged, "root")
    if tag is not None and tag["tag"] != source.get("version"):
        with open(image(home, tag["images"][-1]), "rb") as file:
            unpack(file, target)
    else:
        origin = root(home, source["uuid"])
        if os.path.isdir(origin):
            trees.copy(origin, target)
    make(target)
    return staged


def pack(path: str, file: BinaryIO) -> None:
    """Write a guest's files as the content of an image."""
    import tarfile

    with tarfile.open(fileobj=file, mode="w|gz") as archive:
        if os.path.isdir(path):
            archive.add(path, arcname=".")


def unpack(file: BinaryIO, path: str) -> None:
    """The reverse of `pack`; nothing is written outside `path`."""
    import tarfile

    make(path)
    with tarfile.open(fileobj=file, mode="r|gz") as archive:
        # A guest's links may lead anywhere in it; `tar_filter` keeps files inside `path`.
        archive.extractall(path, filter="tar")


def locate(guest_root: str, path: str, *, follow: bool = True) -> str:
    """The host's path for a guest's path: relative and `~` mean the user's home, and nothing leads out of the guest.

    Symbolic links lead where they lead in the guest; without `follow` the last part is not followed.
    Commands may see the host's real paths, so a path that already lies inside the sandbox is taken as it is.
    """
    if path == "~" or path.startswith("~/"):
        path = f"/{USER_HOME}{path[1:]}"
    elif not path.startswith("/"):
        path = f"/{USER_HOME}/{path}"
    found: list[str] = []
    todo = _parts(guest_root, path)
    links = 0
    while todo:
        part = todo.pop()
        if part == "..":
            del found[-1:]
            continue
        here = os.path.join(guest_root, *found, part)
        if (todo or follow) and links < MAX_LINKS and os.path.islink(here):
            links += 1
            target = os.readlink(here)
            if target.startswith("/"):
                found = []
            todo += _parts(guest_root, target)
            continue
        found.append(part)
    return os.path.join(guest_root, *found)


def _parts(guest_root: str, path: str) -> list[str]:
    """The names of a path, the last one first."""
    if path == guest_root or path.startswith(guest_root + "/"):
        path = path[len(guest_root) :]
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]
