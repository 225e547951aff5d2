"""Builds the Dockerfile on a base that is made here once: a small Debian with Python, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from anka_dev.controlplane.progress import Say
from anka_dev.errors import DevError
from anka_dev.image.buildah import Buildah

ROOT = Path(__file__).resolve().parents[3]
SUITE = "bookworm"
BASE = f"localhost/anka-base:{SUITE}"
NEEDLESS = ("var/cache/apt", "usr/share/doc", "usr/share/man", "usr/share/locale")
# pip in a chroot knows this machine's certificates and settings only if they are there.
OF_THIS_MACHINE = ("etc/ssl/certs/ca-certificates.crt", "etc/pip.conf")


def ensure_base(tool: Buildah, say: Say) -> None:
    """DevError says what failed."""
    if not tool.has(BASE):
        say(f"making a base image from Debian {SUITE}: a minute or two, once")
        _base(tool)


def build(tool: Buildah, image: str, say: Say) -> None:
    """DevError says what failed."""
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
            ["/usr/sbin/debootstrap", "--variant=minbase", "--include=python3,python3-venv", SUITE, str(root)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise DevError(f"debootstrap failed: {'; '.join(done.stdout.strip().splitlines()[-2:])}")
        for needless in NEEDLESS:
            shutil.rmtree(root / needless, ignore_errors=True)
        for name in OF_THIS_MACHINE:
            if (Path("/") / name).is_file():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(Path("/") / name, root / name)
        archive = Path(folder) / "base.tar"
        # Device files can't be made everywhere, and every runtime brings its own.
        subprocess.run(["tar", "-C", str(root), "--exclude=./dev/*", "-cf", str(archive), "."], check=True)
        container = tool.begin("scratch")
        tool.run("add", "--quiet", container, str(archive), "/")
        tool.run("commit", "--quiet", "--rm", container, BASE)
