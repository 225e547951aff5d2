from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from anka_agent.update.signature import SignatureError, namespace_of, verify


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pairs: ours and theirs."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("ours", "theirs"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    return folder


def sign(file: Path, key: Path, version: str) -> str:
    argv = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(key), "-n", namespace_of(version)]
    with file.open("rb") as content:
        return subprocess.run(argv, stdin=content, capture_output=True, check=True, text=True).stdout


def test_what_our_key_signed_as_this_version_passes(keys: Path, tmp_path: Path) -> None:
    file = tmp_path / "p.tar.gz"
    file.write_bytes(b"content")
    public = (keys / "ours.pub").read_text().strip()
    signature = sign(file, keys / "ours", "1.2.3")
    verify(file, signature, public, "1.2.3")
    verify(file, signature, " ".join(public.split()[:2]), "1.2.3")


@pytest.mark.parametrize(
    ("content", "signer", "version", "cut"),
    [
        (b"other", "ours", "1.2.3", None),
        (b"content", "theirs", "1.2.3", None),
        (b"content", "ours", "1.2.2", None),
        (b"content", "ours", "1.2.3", 0),
        (b"content", "ours", "1.2.3", 90),
    ],
    ids=["another file", "another key", "another version", "no signature", "half of it"],
)
def test_all_else_is_refused(
    keys: Path, tmp_path: Path, content: bytes, signer: str, version: str, cut: int | None
) -> None:
    file = tmp_path / "p.tar.gz"
    file.write_bytes(b"content")
    signature = sign(file, keys / signer, version)[:cut]
    file.write_bytes(content)
    with pytest.raises(SignatureError, match=r"^is no signature of version 1\.2\.3 by --package-key: [^\n]+$"):
        verify(file, signature, (keys / "ours.pub").read_text().strip(), "1.2.3")


def test_without_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "p").touch()
    with pytest.raises(SignatureError, match="ssh-keygen cannot verify it"):
        verify(tmp_path / "p", "", "ssh-ed25519 AAAA", "1")
