"""Packages of the agent, as its updates download them: `anka-agent-<version>.tar.gz` with its SHA-256 beside it."""

from __future__ import annotations

import argparse
import hashlib
import io
import tarfile
from collections.abc import Mapping
from importlib.metadata import version as version_of
from pathlib import Path

from anka_dev.repository import ROOT
from anka_runtime.cli import Call, Command, from_arguments
from localkube.errors import DevError

PACKAGES = {
    "anka_agent": ROOT / "agent",
    "anka_crds": ROOT / "crds",
    "anka_kube": ROOT / "lib",
    "anka_registry": ROOT / "lib",
    "anka_runtime": ROOT / "lib",
}
"""Packages of ours that the agent imports, and the folders that they are in."""


def build(directory: Path, version: str, replaced: Mapping[str, str] | None = None) -> Path:
    """The package of what is in this repository, called `version`. `replaced`: other contents of files, by path."""
    files: dict[str, bytes] = {
        str(path.relative_to(parent)): path.read_bytes()
        for name, parent in PACKAGES.items()
        for path in sorted((parent / name).rglob("*"))
        if path.is_file() and path.suffix != ".pyc"
    }
    metadata = f"Metadata-Version: 2.1\nName: anka-cloud\nVersion: {version}\n"
    files[f"anka_cloud-{version}.dist-info/METADATA"] = metadata.encode()
    files.update({path: text.encode() for path, text in (replaced or {}).items()})
    archive = directory / f"anka-agent-{version}.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content))
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    archive.with_name(archive.name + ".sha256").write_text(f"{digest}  {archive.name}\n")
    return archive


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("directory", type=Path, help="where it is written to, such as the shim's --pkg-dir")
    parser.add_argument("--version", default=version_of("anka-cloud"), help="default: %(default)s")


def run(call: Call[argparse.Namespace]) -> int:
    options = call.options
    if not options.directory.is_dir():
        raise DevError(f"{options.directory} is no directory")
    print(build(options.directory, options.version))
    return 0


COMMAND = Command(
    "agent-package", "write a package of the agent, for /pkg and updates", from_arguments(add_arguments), run
)
