from __future__ import annotations

import asyncio
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from anka_sim.registry import seed
from anka_sim.registry.catalog import CatalogError, RegistryCatalog

UUID = "c0847bc9-5d2d-4dbc-ba6a-240f7ff08032"


def test_a_new_template(tmp_path: Path) -> None:
    uuid = seed.template(tmp_path, "ventura")
    template = RegistryCatalog(tmp_path).get(uuid)
    assert template["arch"] == "arm64"
    assert [version["tag"] for version in template["versions"]] == ["vanilla+port-forward-22"]
    assert template["versions"][0]["config"]["rules"] == [seed.SSH_RULE]


def test_tags_stack_and_replace(tmp_path: Path) -> None:
    assert seed.template(tmp_path, "ventura", tag="a", uuid=UUID, size=10) == UUID
    assert seed.template(tmp_path, "ventura", tag="b", size=30) == UUID
    assert seed.template(tmp_path, "ventura", tag="b", uuid=UUID, size=40) == UUID
    versions = RegistryCatalog(tmp_path).get(UUID)["versions"]
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
    catalog = RegistryCatalog(tmp_path / "registry")
    image = catalog.image(uuid, catalog.version(uuid)["layers"][-1]["name"])
    with tarfile.open(image) as archive:
        member = archive.extractfile("./Users/anka/.ssh/authorized_keys")
        assert member is not None
        assert member.read() == b"ssh-ed25519 AAAA me\n"


def test_parallel_pushes_keep_every_version(tmp_path: Path) -> None:
    catalog = RegistryCatalog(tmp_path)
    seed.template(tmp_path, "ventura", uuid=UUID)

    def push(number: int) -> Callable[[], object]:
        layer = {"name": f"{number}.ank", "size": 1, "payload": 1}
        return lambda: catalog.push(UUID, "ventura", f"t{number}", layer, arch="arm64", config={})

    async def all_at_once() -> None:
        await asyncio.gather(*(asyncio.to_thread(push(number)) for number in range(20)))

    asyncio.run(all_at_once())
    versions = catalog.get(UUID)["versions"]
    assert len({version["number"] for version in versions}) == len(versions) == 21
