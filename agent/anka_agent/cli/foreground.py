"""Commands that a person runs and waits for: what they print, and how they end."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

from anka_agent.membership.errors import MembershipError
from anka_agent.membership.launchd import ServiceError
from anka_runtime.settings import fail

T = TypeVar("T")


def finish(prog: str, work: Coroutine[Any, Any, T]) -> T:
    """Run to completion. An error that the user must fix ends the process with one line."""
    try:
        return asyncio.run(work)
    except (MembershipError, ServiceError) as error:
        fail(prog, str(error), code=1)
    except OSError as error:
        fail(prog, f"{error.filename or ''}: {error.strerror or error}".lstrip(": "), code=1)


def say(line: str) -> None:
    print(line)
    sys.stdout.flush()
