"""`anka-agent doctor`."""

import json
from dataclasses import asdict

from anka_agent.cli.foreground import finish
from anka_agent.cli.joined import with_joined_file
from anka_agent.doctor.examine import examine
from anka_agent.settings import ShowSettings
from anka_runtime.cli import Call, Command
from anka_runtime.clock import SystemClock


def run(call: Call[ShowSettings]) -> int:
    """Exit code 1 if something is wrong."""
    findings = finish(call.prog, examine(call.options, SystemClock()))
    problems = sum(not finding.ok for finding in findings)
    if call.options.machine_readable:
        head = {"status": "ERROR" if problems else "OK", "message": f"{problems} problems" if problems else ""}
        print(json.dumps(head | {"body": [asdict(finding) for finding in findings]}))
    else:
        print("\n".join(finding.line() for finding in findings))
    return 1 if problems else 0


COMMAND = Command("doctor", "check what the agent needs, and say what is wrong", with_joined_file(ShowSettings), run)
