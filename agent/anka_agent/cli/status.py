"""`anka-agent status`."""

import json

import yaml

from anka_agent.cli.foreground import finish
from anka_agent.cli.joined import with_joined_file
from anka_agent.membership.status import read_status
from anka_agent.settings import ShowSettings
from anka_runtime.cli import Call, Command


def run(call: Call[ShowSettings]) -> None:
    report = finish(call.prog, read_status(call.options))
    if call.options.machine_readable:
        print(json.dumps({"status": "OK", "message": "", "body": report}))
    else:
        print(yaml.safe_dump(report, sort_keys=False, allow_unicode=True), end="")


COMMAND = Command("status", "show this Mac's membership and its node", with_joined_file(ShowSettings), run)
