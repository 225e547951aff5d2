"""Libraries of others that the pages use: taken from npm's registry as they are, with a list of what was taken."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from anka_dev.repository import ROOT
from localkube.errors import DevError

FOLDER = ROOT / "api-shim/anka_shim/portal/static/vendor"
LIST = "vendor.json"
MODULES: Mapping[str, tuple[str, ...]] = {
    "lit-html": (
        "async-directive",
        "directive",
        "directive-helpers",
        "directives/class-map",
        "directives/guard",
        "directives/if-defined",
        "directives/keyed",
        "directives/live",
        "directives/ref",
        "directives/repeat",
        "lit-html",
    )
}
"""What is taken of each package: a module, and its types beside it."""


def digest(content: bytes) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()


def files_of(name: str) -> Iterator[str]:
    yield "LICENSE"
    for module in MODULES[name]:
        yield f"{module}.js"
        yield f"{module}.d.ts"


def read_list(folder: Path = FOLDER) -> list[dict[str, Any]]:
    packages: list[dict[str, Any]] = json.loads((folder / LIST).read_text())["packages"]
    return packages


def find_differences(folder: Path = FOLDER) -> list[str]:
    """Files that are not what the list says."""
    wanted = {
        f"{package['name']}-{package['version']}/{path}": value
        for package in read_list(folder)
        for path, value in package["files"].items()
    }
    present = {
        str(path.relative_to(folder)): digest(path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file() and path != folder / LIST
    }
    return [
        *(f"{path}: is missing" for path in sorted(wanted.keys() - present.keys())),
        *(f"{path}: is not in {LIST}" for path in sorted(present.keys() - wanted.keys())),
        *(f"{path}: was changed" for path in sorted(wanted.keys() & present.keys()) if wanted[path] != present[path]),
    ]


def take(name: str, version: str, archive: Path, folder: Path = FOLDER) -> dict[str, Any]:
    """Put the files of a package from its archive into the folder. Returns its entry of the list."""
    target = folder / f"{name}-{version}"
    shutil.rmtree(target, ignore_errors=True)
    entry: dict[str, str] = {}
    with tarfile.open(archive) as tar:
        package = json.loads(_read(tar, "package.json"))
        for path in files_of(name):
            content = _read(tar, path)
            place = target / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
            entry[path] = digest(content)
    return {
        "name": name,
        "version": version,
        "license": package["license"],
        "archive": digest(archive.read_bytes()),
        "files": entry,
    }


def _read(tar: tarfile.TarFile, path: str) -> bytes:
    try:
        file = tar.extractfile(f"package/{path}")
    except KeyError:
        file = None
    if file is None:
        raise DevError(f"the package has no {path}: change MODULES in {Path(__file__).relative_to(ROOT)}")
    return file.read()


def vendor(wanted: Mapping[str, str] | None = None) -> list[str]:
    """Take the versions of the list anew, or others that are named. Returns the folders."""
    versions = {package["name"]: package["version"] for package in read_list()} | dict(wanted or {})
    unknown = versions.keys() - MODULES.keys()
    if unknown:
        raise DevError(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(MODULES)}")
    packages = []
    for name, version in sorted(versions.items()):
        with tempfile.TemporaryDirectory() as directory:
            command = ["npm", "pack", "--silent", f"{name}@{version}"]
            done = subprocess.run(command, cwd=directory, capture_output=True, text=True)
            archives = list(Path(directory).glob("*.tgz"))
            if done.returncode or len(archives) != 1:
                raise DevError(f"{' '.join(command)}: {done.stderr.strip() or 'wrote no archive'}")
            packages.append(take(name, version, archives[0]))
    (FOLDER / LIST).write_text(json.dumps({"packages": packages}, indent=2) + "\n")
    return [f"{package['name']}-{package['version']}" for package in packages]
