"""All checks, in an order in which the first problem explains those after it."""

from __future__ import annotations

from anka_agent.anka.command import Anka
from anka_agent.anka.operations import Operations
from anka_agent.doctor import cloud, mac
from anka_agent.doctor.finding import Finding, ok, problem
from anka_agent.membership.files import Files
from anka_agent.membership.flags import ShowSettings
from anka_crds.process.clock import Clock


async def examine(settings: ShowSettings, clock: Clock) -> list[Finding]:
    operations = Operations(Anka(settings.anka))
    findings = await mac.anka(operations)
    if findings[0].ok:
        findings.append(await mac.registry(operations))
    findings.append(mac.disk(settings.state_dir, settings.reserve_space))
    findings.append(mac.state_dir(settings.state_dir))
    name = settings.resolved_name
    files = Files(settings.state_dir)
    if files.joined:
        findings.append(ok("joined", f"as {name} ({files.settings})"))
    elif settings.kubeconfig is None:
        return [*findings, problem("joined", "this Mac has not joined", "`anka-agent join URL --token …`")]
    endpoint, finding = cloud.kubeconfig(settings.kubeconfig)
    findings.append(finding)
    if settings.token_file is not None:
        findings.append(cloud.token(settings.token_file, name, clock.now()))
    if endpoint is None:
        return findings
    ahead, finding = await cloud.api(endpoint)
    findings.append(finding)
    if ahead is None:
        return findings
    findings.append(cloud.clock(ahead))
    wanted = cloud.needed(name, settings.lease_namespace, renews=settings.token_file is not None)
    findings.append(await cloud.rights(endpoint, wanted))
    return findings
