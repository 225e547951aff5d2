"""Packages of the agent: all that it imports, and a checksum."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
from pathlib import Path

from anka_dev import agent_package


def test_the_agent_runs_from_it_alone(tmp_path: Path) -> None:
    archive = agent_package.build(tmp_path, "9.9.9", {"anka_agent/marker.py": "HERE = True\n"})
    digest, name = archive.with_name(f"{archive.name}.sha256").read_text().split()
    assert (digest, name) == (hashlib.sha256(archive.read_bytes()).hexdigest(), "anka-agent-9.9.9.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path / "package", filter="data")
    program = (
        "import sys; ours = lambda: {n.partition('.')[0] for n in sys.modules if n.startswith('anka_')}\n"
        "import anka_agent.cli.main, anka_agent.marker\n"
        "print(*sorted({sys.modules[n].__path__[0] for n in ours()}))\n"
        "from importlib.metadata import version; print(version('anka-cloud'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": str(tmp_path / "package")}, cwd="/",
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    paths, version = done.stdout.splitlines()
    assert all(path.startswith(str(tmp_path / "package")) for path in paths.split())
    assert version == "9.9.9"
