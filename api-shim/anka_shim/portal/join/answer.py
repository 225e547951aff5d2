"""The lines to type on the Mac. Pure."""

import base64
import shlex


def join_lines(server: str, token: str, name: str, *, display_name: str | None, ca: bytes | None) -> list[str]:
    """`ca`: PEM of the authority that signs the API's certificate; None where macOS trusts that."""
    words = ["sudo", "anka-agent", "join", server, "--token", "$TOKEN", "--node-id", name]
    if display_name is not None:
        words += ["--name", display_name]
    if ca is not None:
        words += ["--ca-data", base64.b64encode(ca).decode()]
    line = " ".join('"$TOKEN"' if word == "$TOKEN" else shlex.quote(word) for word in words)
    return [f"TOKEN={shlex.quote(token)}", line]
