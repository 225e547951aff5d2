"""The commands that come and go: join, disjoin, status, doctor."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Coroutine
from dataclasses import asdict
from typing import Any, TypeVar

import yaml

from anka_agent.doctor.examine import examine
from anka_agent.membership import disjoin as leaving
from anka_agent.membership import join as joining
from anka_agent.membership.files import Files, state_dir
from anka_agent.membership.flags import DisjoinSettings, JoinSettings, ShowSettings
from anka_agent.membership.status import status
from anka_agent.membership.trouble import Trouble
from anka_agent.service.launchd import ServiceError, of_this_system
from anka_agent.settings import AgentSettings
from anka_crds.process.clock import SystemClock
from anka_crds.process.settings import fail, load

S = TypeVar("S", bound=AgentSettings)
T = TypeVar("T")


def joined_settings(model: type[S], prog: str, argv: list[str]) -> S:
    """Flags, then the environment, then what `join` wrote."""
    return load(model, prog, argv, file=Files(state_dir(argv)).settings)


def join(prog: str, argv: list[str]) -> None:
    settings = load(JoinSettings, prog, argv)
    service = of_this_system() if settings.service else None
    _do(prog, joining.join(settings, service, _say))


def disjoin(prog: str, argv: list[str]) -> None:
    settings = joined_settings(DisjoinSettings, prog, argv)
    _do(prog, leaving.disjoin(settings, of_this_system(), _say))


def show_status(prog: str, argv: list[str]) -> None:
    settings = joined_settings(ShowSettings, prog, argv)
    report = _do(prog, status(settings))
    if settings.machine_readable:
        print(json.dumps({"status": "OK", "message": "", "body": report}))
    else:
        print(yaml.safe_dump(report, sort_keys=False, allow_unicode=True), end="")


def doctor(prog: str, argv: list[str]) -> None:
    """Exit code 1 when something is wrong."""
    settings = joined_settings(ShowSettings, prog, argv)
    findings = _do(prog, examine(settings, SystemClock()))
    if settings.machine_readable:
        bad = sum(not finding.ok for finding in findings)
        said = {"status": "ERROR" if bad else "OK", "message": f"{bad} problems" if bad else ""}
        print(json.dumps(said | {"body": [asdict(finding) for finding in findings]}))
    else:
        print("\n".join(finding.line() for finding in findings))
    if not all(finding.ok for finding in findings):
        raise SystemExit(1)


COMMANDS = {"join": join, "disjoin": disjoin, "status": show_status, "doctor": doctor}


def _do(prog: str, work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except (Trouble, ServiceError) as error:
        return fail(prog, str(error), code=1)
    except OSError as error:
        return fail(prog, f"{error.filename or ''}: {error.strerror or error}".lstrip(": "), code=1)
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _say(line: str) -> None:
    print(line)
    sys.stdout.flush()
