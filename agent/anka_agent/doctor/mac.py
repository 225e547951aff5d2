"""Checks of the Mac itself: anka, licence, disk, state directory, registry."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from anka_agent.anka import check
from anka_agent.anka.errors import AnkaError
from anka_agent.anka.operations import Operations
from anka_agent.doctor.finding import Finding, ok, problem

GIB = 1 << 30


async def anka(operations: Operations) -> list[Finding]:
    """Command, version and licence; only the first of them when it does not work."""
    try:
        found = await check.version(operations)
    except check.Unusable as error:
        return [problem("anka", str(error), "without it no VM starts")]
    findings = [ok("anka", f"version {found.version} ({operations.executable})")]
    try:
        held = await check.license_(operations)
    except check.Unusable as error:
        return [*findings, problem("licence", str(error), "`anka license activate`")]
    if trouble := check.license_trouble(held):
        return [*findings, problem("licence", trouble, "`anka license activate <key>`")]
    return [*findings, ok("licence", f"{held.type}, expires {held.expires or 'never'}")]


def disk(path: Path, reserve_percent: int) -> Finding:
    """`path`: on the disk in question; its nearest folder that exists counts."""
    while not path.exists():
        path = path.parent
    usage = shutil.disk_usage(path)
    percent = 100 * usage.free // max(1, usage.total)
    says = f"{usage.free / GIB:.0f} of {usage.total / GIB:.0f} GiB free ({percent} %)"
    if percent < reserve_percent:
        do = f"less than the reserve of {reserve_percent} %: delete templates or files, or lower reserveSpacePercent"
        return problem("disk", says, do)
    return ok("disk", says)


def state_dir(path: Path) -> Finding:
    if not path.is_dir():
        return problem("state directory", f"{path} is not there", "`anka-agent join` makes it")
    try:
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        return problem("state directory", f"{path} cannot be written: {error.strerror}", "run as the agent's user")
    if (owner := path.stat().st_uid) != os.geteuid():
        return ok("state directory", f"{path}, of user {owner}")
    return ok("state directory", str(path))


async def registry(operations: Operations) -> Finding:
    try:
        names = await operations.registry_names(remote=None)
    except AnkaError as error:
        do = "`anka registry add NAME URL`, or see whether its address can be reached from here"
        return problem("registry", str(error), do)
    return ok("registry", f"answers, {len(names)} templates")
