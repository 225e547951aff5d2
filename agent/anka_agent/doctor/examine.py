"""The checks of the Mac itself, and all checks in order: the first problem explains those after it."""

import os
import shutil
import tempfile
from pathlib import Path

from anka_agent.anka.cli import AnkaCli
from anka_agent.anka.command import Anka
from anka_agent.anka.errors import AnkaError
from anka_agent.anka.registry_options import make_options
from anka_agent.doctor import cloud
from anka_agent.doctor.finding import Finding, ok, problem
from anka_agent.mac.facts import AnkaUnusable, describe_license_problem, read_license, require_version
from anka_agent.membership.files import Files
from anka_agent.membership.rival import find_rival
from anka_agent.settings import ShowSettings
from anka_kube.client import KubeClient
from anka_kube.endpoint import Endpoint
from anka_kube.errors import ApiError
from anka_runtime.clock import Clock

GIB = 1 << 30


async def check_anka(operations: AnkaCli) -> list[Finding]:
    """Command, version and licence; only the command if it does not work."""
    try:
        found = await require_version(operations)
    except AnkaUnusable as error:
        return [problem("anka", str(error), "without it no VM starts")]
    findings = [ok("anka", f"version {found.version} ({operations.executable})")]
    try:
        held = await read_license(operations)
    except AnkaUnusable as error:
        return [*findings, problem("licence", str(error), "`anka license activate`")]
    if trouble := describe_license_problem(held):
        return [*findings, problem("licence", trouble, "`anka license activate <key>`")]
    return [*findings, ok("licence", f"{held.type}, expires {held.expires or 'never'}")]


def check_disk(path: Path, reserve_percent: int) -> Finding:
    """`path`: on the disk in question; its nearest existing parent counts."""
    while not path.exists():
        path = path.parent
    usage = shutil.disk_usage(path)
    percent = 100 * usage.free // max(1, usage.total)
    says = f"{usage.free / GIB:.0f} of {usage.total / GIB:.0f} GiB free ({percent} %)"
    if percent < reserve_percent:
        do = f"less than the reserve of {reserve_percent} %: delete templates or files, or lower reserveSpacePercent"
        return problem("disk", says, do)
    return ok("disk", says)


def check_state_dir(path: Path) -> Finding:
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


async def check_registry(operations: AnkaCli, url: str | None) -> Finding:
    """`url` None: the one that `anka` has stored."""
    try:
        names = await operations.registry_names(remote=url)
    except AnkaError as error:
        do = "`anka registry add NAME URL`, or see whether its address can be reached from here"
        return problem("registry", str(error), do)
    return ok("registry", f"answers, {len(names)} templates")


async def check_identity(endpoint: Endpoint, settings: ShowSettings) -> Finding:
    """Whether this machine is the node, or another one with the same identity."""
    try:
        async with KubeClient(endpoint) as client:
            rival = await find_rival(client, settings)
    except (ApiError, OSError) as error:
        return problem("identity", str(error), "see the problems above")
    if rival is None:
        return ok("identity", f"no other machine is {settings.kube_name}")
    do = "`anka-agent disjoin` forgets this copy of its identity, `anka-agent replace` puts this Mac in its place"
    return problem("identity", f"another machine is {settings.kube_name} ({rival})", do)


async def examine(settings: ShowSettings, clock: Clock) -> list[Finding]:
    operations = AnkaCli(Anka(settings.anka), make_options(settings))
    findings = await check_anka(operations)
    if findings[0].ok:
        findings.append(await check_registry(operations, settings.registry_url))
    findings.append(check_disk(settings.state_dir, settings.reserve_space))
    findings.append(check_state_dir(settings.state_dir))
    name = settings.kube_name
    files = Files(settings.state_dir)
    if files.is_joined:
        findings.append(ok("joined", f"as {name} ({files.settings})"))
    elif settings.kubeconfig is None:
        return [*findings, problem("joined", "this Mac has not joined", "`anka-agent join URL --token …`")]
    endpoint, finding = cloud.check_kubeconfig(settings.kubeconfig)
    findings.append(finding)
    if settings.token_file is not None:
        findings.append(cloud.check_token(settings.token_file, name, clock.now()))
    if endpoint is None:
        return findings
    ahead, finding = await cloud.check_api(endpoint)
    findings.append(finding)
    if ahead is None:
        return findings
    findings.append(cloud.check_clock(ahead))
    wanted = cloud.list_rights(name, settings.lease_namespace, renews=settings.token_file is not None)
    findings.append(await cloud.check_rights(endpoint, wanted))
    findings.append(await check_identity(endpoint, settings))
    return findings
