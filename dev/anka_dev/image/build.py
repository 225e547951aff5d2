"""Builds the Dockerfile on a base image that is made once: a small Debian with Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from anka_dev.image.buildah import Buildah, tools_path
from anka_dev.image.errors import failure
from anka_dev.repository import ROOT
from localkube.progress import Say

SUITE = "bookworm"
BASE = f"localhost/anka-base:{SUITE}"
NEEDLESS = ("var/cache/apt", "usr/share/doc", "usr/share/man", "usr/share/locale")
# pip in the chroot needs this machine's certificates and settings.
OF_THIS_MACHINE = ("etc/ssl/certs/ca-certificates.crt", "etc/pip.conf")


def ensure_base(tool: Buildah, say: Say) -> None:
    """Make the base image unless it exists. DevError says what failed; NoNetwork without network."""
    if not tool.has(BASE):
        say(f"making a base image from Debian {SUITE}: a minute or two, once")
        _base(tool)


def build(tool: Buildah, image: str, say: Say) -> None:
    """Build ``image`` from the working copy. DevError says what failed; NoNetwork without network."""
    ensure_base(tool, say)
    say(f"building {image}: most of a minute")
    tool.run(
        "bud",
        "--layers=false",
        f"--build-arg=BASE={BASE}",
        f"--tag={image}",
        f"--file={ROOT / 'Dockerfile'}",
        str(ROOT),
    )


def _base(tool: Buildah) -> None:
    with tempfile.TemporaryDirectory(prefix="anka-base-") as folder:
        root = Path(folder) / "root"
        done = subprocess.run(
            ["debootstrap", "--variant=minbase", "--include=python3,python3-venv", SUITE, str(root)],
            env={**os.environ, "PATH": tools_path()},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise failure("debootstrap", f"{done.stderr}\n{done.stdout}", lines=2)
        for needless in NEEDLESS:
            shutil.rmtree(root / needless, ignore_errors=True)
        for name in OF_THIS_MACHINE:
            if (Path("/") / name).is_file():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(Path("/") / name, root / name)
        archive = Path(folder) / "base.tar"
        # Device files cannot be created everywhere, and every runtime brings its own.
        subprocess.run(["tar", "-C", str(root), "--exclude=./dev/*", "-cf", str(archive), "."], check=True)
        container = tool.begin("scratch")
        tool.run("add", "--quiet", container, str(archive), "/")
        tool.run("commit", "--quiet", "--rm", container, BASE)
