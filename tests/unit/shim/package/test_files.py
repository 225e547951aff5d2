from __future__ import annotations

from pathlib import Path

import pytest

from support.shim_rig import rig

PACKAGE = bytes(range(256)) * 1000


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    offered = tmp_path / "pkg"
    offered.mkdir()
    (offered / "AnkaAgent.pkg").write_bytes(PACKAGE)
    (offered / "AnkaAgentArm.pkg").symlink_to(offered / "AnkaAgent.pkg")
    (offered / ".hidden").write_text("x")
    (offered / "folder").mkdir()
    (offered / "folder" / "inside").write_text("x")
    (tmp_path / "secret").write_text("x")
    return offered


@pytest.mark.parametrize("name", ["AnkaAgent.pkg", "AnkaAgentArm.pkg"])
async def test_a_package(directory: Path, name: str) -> None:
    async with rig(pkg_dir=directory) as shim:
        answer = await shim.http.get(f"/pkg/{name}")
        assert (answer.status_code, answer.content) == (200, PACKAGE)
        assert answer.headers["content-type"] == "application/octet-stream"
        head = await shim.http.head(f"/pkg/{name}")
        assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(PACKAGE)))
        part = await shim.http.get(f"/pkg/{name}", headers={"Range": "bytes=100-199"})
        assert (part.status_code, part.content) == (206, PACKAGE[100:200])
        assert part.headers["content-range"] == f"bytes 100-199/{len(PACKAGE)}"


@pytest.mark.parametrize(
    "path",
    [
        "/pkg/nope.pkg",
        "/pkg/..%2fsecret",
        "/pkg/%2e%2e%2fsecret",
        "/pkg/..",
        "/pkg/.",
        "/pkg/",
        "/pkg",
        "/pkg/.hidden",
        "/pkg/folder",
        "/pkg/folder/inside",
        "/pkg/folder%2finside",
        "/pkg//etc/passwd",
        "/pkg/AnkaAgent.pkg%00",
        "/pkg/" + "a" * 5000,
    ],
)
async def test_nothing_else(directory: Path, path: str) -> None:
    async with rig(pkg_dir=directory) as shim:
        answer = await shim.http.get(path)
        assert (answer.status_code, answer.json()["status"]) == (404, "FAIL")


async def test_without_a_directory() -> None:
    async with rig() as shim:
        answer = await shim.http.get("/pkg/AnkaAgent.pkg")
        text = "there are no packages here: start the API shim with --pkg-dir"
        assert (answer.status_code, answer.json()) == (404, {"status": "FAIL", "message": text})
