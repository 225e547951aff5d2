"""An `anka` in memory whose commands begin when they are called, and end when the test says so."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from anka_agent.anka.command import Anka, OnLine, command_name
from anka_agent.anka.errors import NotFoundError


class GatedAnka(Anka):
    """`answers`: body, or the error that is raised, by the beginning of the command line; code 3 for all others.

    `gate`: while it is clear, no command ends."""

    def __init__(self, answers: Mapping[str, Any] | None = None) -> None:
        super().__init__("anka")
        self.answers = dict(answers or {})
        self.lines: list[str] = []
        """What each command prints first."""
        self.calls: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self._called = asyncio.Event()

    async def call(
        self,
        *args: str,
        seconds: float,
        on_line: OnLine | None = None,
        env: Mapping[str, str] | None = None,
        exclusive: bool = True,
    ) -> Any:
        line = " ".join(args)
        self.calls.append(line)
        self._called.set()
        for text in self.lines if on_line is not None else []:
            assert on_line is not None
            on_line(text)
        await self.gate.wait()
        found = [key for key in self.answers if line == key or line.startswith(f"{key} ")]
        if not found:
            raise NotFoundError(f"{line}: not found", 3, command=command_name(args))
        answer = self.answers[max(found, key=len)]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def called(self, times: int = 1) -> None:
        """Return once so many commands have begun."""
        async with asyncio.timeout(60):
            while len(self.calls) < times:
                self._called.clear()
                await self._called.wait()
