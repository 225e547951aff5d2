"""Signatures of packages: OpenSSH's, as `ssh-keygen -Y sign` makes them. Every Mac has `ssh-keygen`."""

import tempfile
from pathlib import Path

from anka_runtime import programs

SIGNER = "anka-agent"
SECONDS = 60.0


class SignatureError(Exception):
    """The file is not signed by this key as this version; str() is one line that says why."""


def namespace_of(version: str) -> str:
    """What a signature is for: a package of another version cannot take this one's place."""
    return f"anka-agent-{version}"


def verify(file: Path, signature: str, key: str, version: str) -> None:
    """Return if `key`, a line of an OpenSSH public key file, signed the file as this version. Raises SignatureError."""
    with tempfile.TemporaryDirectory(prefix="anka-signature-") as folder, file.open("rb") as content:
        signers, signed = Path(folder) / "signers", Path(folder) / "signature"
        signers.write_text(f"{SIGNER} {key}\n", encoding="utf-8")
        signed.write_text(signature, encoding="utf-8")
        argv = ["ssh-keygen", "-Y", "verify", "-f", str(signers), "-I", SIGNER, "-n", namespace_of(version)]
        try:
            done = programs.run([*argv, "-s", str(signed)], seconds=SECONDS, stdin=content)
        except (OSError, ValueError) as error:
            raise SignatureError(f"ssh-keygen cannot verify it: {error}") from None
    if done.returncode:
        words = " ".join((done.stderr + done.stdout).decode("utf-8", "replace").split())[:300]
        raise SignatureError(f"is no signature of version {version} by --package-key: {words}")
