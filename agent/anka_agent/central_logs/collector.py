"""Takes what this process logs, for the central logs: all of it is the agent's, what concerns an instance also its."""

from __future__ import annotations

import logging
from collections.abc import Callable

from anka_agent.central_logs.buffer import Buffer
from anka_agent.central_logs.hidden import Hidden
from anka_crds.core.central_log import AGENT, of_instance
from anka_crds.process import logs


class Collector(logging.Handler):
    """A handler of the root logger. `wanted`: whether lines are collected at the moment."""

    def __init__(self, buffer: Buffer, hidden: Hidden, wanted: Callable[[], bool]) -> None:
        super().__init__()
        self._buffer = buffer
        self._hidden = hidden
        self._wanted = wanted
        # JSON whatever the format of the Mac's own log: a traceback is one line, and ids are fields.
        logs.dress(self)

    def emit(self, record: logging.LogRecord) -> None:
        if not self._wanted():
            return
        try:
            line = self._hidden.cover(self.format(record))
        except Exception:
            self.handleError(record)
            return
        self._buffer.add(AGENT, line)
        instance = getattr(record, "instance_id", None)
        if isinstance(instance, str):
            self._buffer.add(of_instance(instance), line)
