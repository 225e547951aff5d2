"""HTTP clients that offer another protocol on every request: Java's HttpClient and curl, where a machine has them."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent / "java" / "OfferingClient.java"
OLDEST_JDK = 17


@functools.cache
def find_jdk() -> Path | None:
    """The folder of `java` and `javac`. macOS has programs of these names that only say where to get one."""
    program = shutil.which("javac")
    if program is None:
        return None
    shown = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=60)
    version = re.match(r"javac (\d+)", shown.stdout + shown.stderr)
    if shown.returncode or version is None or int(version[1]) < OLDEST_JDK:
        return None
    return Path(program).parent


@functools.cache
def find_curl() -> str | None:
    """A curl that speaks HTTP/2."""
    program = shutil.which("curl")
    if program is None:
        return None
    shown = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60).stdout
    return program if re.search(r"^Features:.*\bHTTP2\b", shown, re.MULTILINE) else None


@pytest.fixture(scope="module")
def java_client(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command of the compiled client, which takes a base URL and requests."""
    folder = find_jdk()
    if folder is None:
        pytest.skip(f"no JDK here: javac of version {OLDEST_JDK} or later")
    classes = tmp_path_factory.mktemp("classes")
    subprocess.run([folder / "javac", "-d", classes, SOURCE], check=True, timeout=120)
    return [str(folder / "java"), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", str(classes), SOURCE.stem]


@pytest.fixture(scope="module")
def curl() -> str:
    program = find_curl()
    if program is None:
        pytest.skip("no curl with HTTP/2 here")
    return program
