"""Checks of the JavaScript: types, style, and that the libraries of others are as they were taken."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from anka_dev.portal.vendor import find_differences
from anka_dev.repository import ROOT
from localkube.errors import DevError

TOOLS = ROOT / "dev/portal"
CHECKED = ("api-shim/anka_shim/portal/static", "tests/portal")


class ToolsMissingError(DevError):
    """The checkers are not here, and cannot be had."""


def find_node() -> str | None:
    return shutil.which("node") if shutil.which("npm") else None


def is_installed(tools: Path = TOOLS) -> bool:
    """npm writes its own list when it has installed everything: older than the lock, it is of another one."""
    installed = tools / "node_modules/.package-lock.json"
    return installed.is_file() and installed.stat().st_mtime >= (tools / "package-lock.json").stat().st_mtime


def install(tools: Path = TOOLS) -> None:
    if is_installed(tools):
        return
    command = ["npm", "ci", "--no-audit", "--no-fund", "--silent"]
    done = subprocess.run(command, cwd=tools, capture_output=True, text=True)
    if done.returncode:
        why = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()[-1]
        raise ToolsMissingError(f"{' '.join(command)}: {why}")
    os.utime(tools / "node_modules/.package-lock.json")


def run_checkers() -> list[str]:
    """What types and style complain about."""
    bin_ = TOOLS / "node_modules/.bin"
    commands = (
        [str(bin_ / "tsc"), "-p", str(TOOLS / "tsconfig.json"), "--pretty", "false"],
        [str(bin_ / "eslint"), "--config", str(TOOLS / "eslint.config.js"), "--max-warnings", "0", *CHECKED],
    )
    found: list[str] = []
    for command in commands:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            found += [*done.stdout.strip().splitlines(), *done.stderr.strip().splitlines()]
    return found


def check() -> str:
    """Raises what is wrong; returns what there is to say."""
    differences = find_differences()
    if differences:
        raise DevError("portal: " + "; ".join(differences) + ": run anka-dev portal vendor")
    if find_node() is None:
        return "portal: no node and npm here: the JavaScript is not checked"
    try:
        install()
    except ToolsMissingError as error:
        if os.environ.get("CI") == "true":
            raise
        return f"portal: the JavaScript is not checked: {error}"
    found = run_checkers()
    if found:
        raise DevError("\n".join(["portal:", *found]))
    return ""
