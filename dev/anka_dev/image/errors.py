"""What goes wrong while an image is built."""

from __future__ import annotations

import re

from localkube.errors import DevError


class NoNetwork(DevError):
    """Packages that the image is made of cannot be downloaded: there is no network, or their host is away."""


_NO_NETWORK = re.compile(
    r"name resolution|could ?n[o']t resolve|cannot resolve|network is unreachable|no route to host|connection refused"
    r"|failed to establish a new connection|connection timed out|connecttimeout|failed getting release file",
    re.IGNORECASE,
)
"""As debootstrap, apt and pip say it."""


def failure(what: str, output: str, lines: int) -> DevError:
    """The error of a command that failed: with the line about the network, else the last ``lines`` that it printed."""
    printed = output.strip().splitlines()
    for line in reversed(printed):
        if _NO_NETWORK.search(line):
            return NoNetwork(f"{what} failed: {line.strip()}")
    return DevError(f"{what} failed: {'; '.join(printed[-lines:])}")
