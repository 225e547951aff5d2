"""Seeding a registry directory, in Python and by command."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import tarfile
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from anka_dev.errors import DevError
from anka_dev.registry import command, seed
from anka_dev.registry.catalog import Catalog, CatalogError
from anka_dev.registry.server import serving_in_thread

UUID = "c0847bc9-5d2d-4dbc-ba6a-240f7ff08032"


def test_a_new_template(tmp_path: Path) -> None:
    uuid = seed.template(tmp_path, "ventura")
    held = Catalog(tmp_path).get(uuid)
    assert held["arch"] == "arm64"
    assert [version["tag"] for version in held["versions"]] == ["vanilla+port-forward-22"]
    assert held["versions"][0]["config"]["rules"] == [seed.SSH_RULE]


def test_tags_stack_and_replace(tmp_path: Path) -> None:
    assert seed.template(tmp_path, "ventura", tag="a", uuid=UUID, size=10) == UUID
    assert seed.template(tmp_path, "ventura", tag="b", size=30) == UUID
    assert seed.template(tmp_path, "ventura", tag="b", uuid=UUID, size=40) == UUID
    versions = Catalog(tmp_path).get(UUID)["versions"]
    assert [(version["tag"], version["size"]) for version in versions] == [("a", 10), ("b", 40)]
    assert versions[0]["number"] < versions[1]["number"]


def test_a_name_has_one_uuid(tmp_path: Path) -> None:
    seed.template(tmp_path, "ventura", uuid=UUID)
    with pytest.raises(CatalogError, match="exists with another UUID"):
        seed.template(tmp_path, "ventura", uuid="c0847bc9-5d2d-4dbc-ba6a-240f7ff08033")


def test_home_files_are_in_the_image(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "authorized_keys").write_text("ssh-ed25519 AAAA me\n")
    uuid = seed.template(tmp_path / "registry", "ventura", home=home)
    catalog = Catalog(tmp_path / "registry")
    image = catalog.image(uuid, catalog.version(uuid)["layers"][-1]["name"])
    with tarfile.open(image) as archive:
        member = archive.extractfile("./Users/anka/.ssh/authorized_keys")
        assert member is not None
        assert member.read() == b"ssh-ed25519 AAAA me\n"


def _run(*argv: str) -> int:
    import argparse

    parser = argparse.ArgumentParser()
    command.register(parser.add_subparsers())
    options = parser.parse_args(["registry", *argv])
    return int(options.run(options))


def test_seed_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = [
        "seed",
        str(tmp_path),
        "--template",
        "ventura",
        "--tag",
        "t",
        "--uuid",
        UUID,
        "--size",
        "20G",
        "--arch",
        "amd64",
    ]
    assert _run(*argv) == 0
    assert capsys.readouterr().out == f"{UUID}\n"
    held = Catalog(tmp_path).get(UUID)
    assert (held["arch"], held["size"]) == ("amd64", 20 << 30)


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--size", "lots"], "--size: 'lots' is not a size"),
        (["--home", "/does/not/exist"], "/does/not/exist"),
        (["--uuid", UUID], "exists with another UUID"),
    ],
)
def test_seed_command_refuses(tmp_path: Path, extra: list[str], message: str) -> None:
    seed.template(tmp_path, "ventura")
    with pytest.raises(DevError, match=message):
        _run("seed", str(tmp_path), "--template", "ventura", *extra)


def test_run_command_serves_until_terminated(tmp_path: Path) -> None:
    seed.template(tmp_path, "ventura", uuid=UUID)
    program = "import argparse\nfrom anka_dev.registry import command\np = argparse.ArgumentParser()\n"
    program += "command.register(p.add_subparsers())\no = p.parse_args()\nraise SystemExit(o.run(o))"
    argv = [sys.executable, "-c", program, "registry", "run", str(tmp_path), "--port", "0"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        with urllib.request.urlopen(f"{url}/registry/v2/vm") as response:
            assert json.load(response)["body"][0]["id"] == UUID
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0


def test_run_command_says_when_the_port_is_taken(tmp_path: Path) -> None:
    with serving_in_thread(tmp_path) as url, pytest.raises(DevError, match=r"cannot serve on 127\.0\.0\.1:"):
        _run("run", str(tmp_path), "--port", url.rsplit(":", 1)[1])


def test_parallel_pushes_keep_every_version(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    seed.template(tmp_path, "ventura", uuid=UUID)

    def push(number: int) -> Callable[[], object]:
        layer = {"name": f"{number}.ank", "size": 1, "payload": 1}
        return lambda: catalog.push(UUID, "ventura", f"t{number}", layer, arch="arm64", config={})

    async def all_at_once() -> None:
        await asyncio.gather(*(asyncio.to_thread(push(number)) for number in range(20)))

    asyncio.run(all_at_once())
    versions = catalog.get(UUID)["versions"]
    assert len({version["number"] for version in versions}) == len(versions) == 21
