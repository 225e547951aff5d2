"""What to type on the Mac."""

from __future__ import annotations

import base64
import shlex
import subprocess

from anka_shim.portal.join.answer import join_lines


def test_a_shell_reads_what_is_meant() -> None:
    name = "it's; rm -rf $HOME `id`"
    lines = join_lines("https://api:6443", "a.b.c", "mac-1", display_name=name, ca=b"PEM")
    script = "\n".join((lines[0], lines[1].replace("sudo anka-agent", "printf '%s\\n'")))
    typed = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True).stdout.splitlines()
    assert typed == [
        *("join", "https://api:6443", "--token", "a.b.c", "--node-id", "mac-1", "--name", name),
        *("--ca-data", base64.b64encode(b"PEM").decode()),
    ]


def test_the_shortest() -> None:
    lines = join_lines("https://api", "t", "mac-1", display_name=None, ca=None)
    assert shlex.split(lines[1]) == [
        "sudo",
        "anka-agent",
        "join",
        "https://api",
        "--token",
        "$TOKEN",
        "--node-id",
        "mac-1",
    ]
