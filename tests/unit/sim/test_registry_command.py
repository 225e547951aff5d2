"""`anka-sim registry`."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from anka_sim import cli
from anka_sim.registry import seed
from anka_sim.registry.catalog import RegistryCatalog
from anka_sim.registry.server import serving_in_thread

UUID = "c0847bc9-5d2d-4dbc-ba6a-240f7ff08032"


def test_seed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = f"registry seed {tmp_path} --template ventura --tag t --uuid {UUID} --size 20G --arch amd64"
    assert cli.main(words.split()) == 0
    assert capsys.readouterr().out == f"{UUID}\n"
    template = RegistryCatalog(tmp_path).get(UUID)
    assert (template["arch"], template["size"]) == ("amd64", 20 << 30)


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--size", "lots"], "--size: 'lots' is not a size"),
        (["--home", "/does/not/exist"], "/does/not/exist"),
        (["--uuid", UUID], "exists with another UUID"),
    ],
)
def test_seed_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str], extra: list[str], message: str) -> None:
    seed.template(tmp_path, "ventura")
    assert cli.main(["registry", "seed", str(tmp_path), "--template", "ventura", *extra]) == 1
    error = capsys.readouterr().err
    assert error.startswith("anka-sim registry: ")
    assert message in error


def test_run_serves_until_terminated(tmp_path: Path) -> None:
    seed.template(tmp_path, "ventura", uuid=UUID)
    argv = [sys.executable, "-m", "anka_sim", "registry", "run", str(tmp_path), "--port", "0"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        with urllib.request.urlopen(f"{url}/registry/v2/vm") as response:
            assert json.load(response)["body"][0]["id"] == UUID
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0


def test_run_names_a_port_that_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving_in_thread(tmp_path) as url:
        assert cli.main(["registry", "run", str(tmp_path), "--port", url.rsplit(":", 1)[1]]) == 1
    assert "cannot serve on 127.0.0.1:" in capsys.readouterr().err
