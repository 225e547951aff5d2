"""When an image is built, and when an old one goes: with a buildah that only takes down what it is told."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from anka_dev.image import build as building
from anka_dev.image import working_copy as module
from anka_dev.image.buildah import Buildah
from anka_dev.image.working_copy import content_key, open_image


class Told(Buildah):
    """Has what was built with it."""

    images: set[str]
    mounted: Path

    def __init__(self, store: Path, files: Path) -> None:
        super().__init__(store)
        object.__setattr__(self, "images", {building.BASE})
        object.__setattr__(self, "mounted", files)

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        code, said = 0, ""
        if arguments[0] == "bud":
            [tag] = [word.removeprefix("--tag=") for word in arguments if word.startswith("--tag=")]
            self.images.add(tag)
        elif arguments[0] == "rmi":
            self.images.discard(arguments[-1])
        elif arguments[:2] == ("inspect", "--type=image"):
            code = 0 if arguments[-1] in self.images else 1
            said = "base" if "--format={{.FromImageID}}" in arguments else '{"OCIv1": {"config": {"User": "7"}}}'
        elif arguments[0] == "mount":
            said = f"{self.mounted}\n"
        return subprocess.CompletedProcess(arguments, code, said, "")


def copy_of(folder: Path) -> Path:
    """A working copy with one file of each sort."""
    for name, text in {
        ".dockerignore": "*\n!setup\n!crds\n**/__pycache__\n",
        "Dockerfile": "FROM x",
        "setup": "1",
        "crds/a.py": "a",
        "crds/__pycache__/a.pyc": "a",
        "dev/b.py": "b",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def change(name: str) -> Callable[[Path], object]:
    return lambda root: (root / name).write_text("other")


@pytest.mark.parametrize(
    ("changed", "another"),
    [
        (change("crds/a.py"), True),
        (change("crds/new.py"), True),
        (change("Dockerfile"), True),
        (lambda root: (root / "setup").chmod(0o755), True),
        (lambda root: (root / "crds" / "a.py").rename(root / "crds" / "c.py"), True),
        (change("dev/b.py"), False),
        (change("crds/__pycache__/a.pyc"), False),
        (lambda root: (root / "crds" / "a.py").touch(), False),
    ],
)
def test_the_key_is_of_what_goes_into_it(tmp_path: Path, changed: Callable[[Path], object], another: bool) -> None:
    root = copy_of(tmp_path)
    before = content_key(root, "base")
    changed(root)
    assert (content_key(root, "base") != before) is another
    assert content_key(root, "newer base") != content_key(root, "base")


def test_it_is_built_once_and_an_old_one_goes_when_nobody_uses_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = copy_of(tmp_path / "copy")
    said: list[str] = []
    monkeypatch.setattr(module, "ROOT", root)
    tool = Told(tmp_path / "store", root)
    with open_image(tool, said.append) as first:
        assert first.config == {"User": "7"}
        assert (first.root / "setup").read_text() == "1"
        with open_image(tool, said.append) as same:
            assert same == first
        assert len(said) == 1
        change("crds/a.py")(root)
        with open_image(tool, said.append) as second:
            assert second.name != first.name
            # Somebody still has the first.
            assert (first.root / "setup").exists()
            assert tool.images == {building.BASE, first.name, second.name}
    change("crds/a.py")(root)
    with open_image(tool, said.append):
        pass
    assert not first.root.exists()
    assert tool.images == {building.BASE, second.name}
    assert len(said) == 2


def test_what_was_left_half_done_is_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = copy_of(tmp_path / "copy")
    said: list[str] = []
    monkeypatch.setattr(module, "ROOT", root)
    tool = Told(tmp_path / "store", root)
    with open_image(tool, said.append) as image:
        pass
    tool.images.discard(image.name)
    with open_image(tool, said.append) as again:
        assert again == image
    assert len(said) == 2
