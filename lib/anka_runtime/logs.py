"""Structured logs: one JSON object a line on stderr, or plain text for a terminal.

Ids of the current work (instance, node, request) come from `context`, so that no call has to repeat them.
"""

import contextvars
import logging
import sys
from typing import Literal

from pythonjsonlogger.json import JsonFormatter

from anka_runtime.context_value import ContextValue
from anka_runtime.repetition import RepetitionFilter, list_fields

LogFormat = Literal["json", "text"]

_fields: contextvars.ContextVar[dict[str, str] | None] = contextvars.ContextVar("anka_log_fields", default=None)


def context(**fields: str) -> ContextValue[dict[str, str] | None]:
    """Add these fields to every record logged inside the block, by this task and the tasks that it starts."""
    return ContextValue(_fields, {**(_fields.get() or {}), **fields})


class _ContextFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        for key, value in (_fields.get() or {}).items():
            if not hasattr(record, key):
                setattr(record, key, value)
        return True


class _TextFormatter(logging.Formatter):
    """`time level logger message key=value …`"""

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        extra = " ".join(f"{key}={_on_one_line(value)}" for key, value in list_fields(record).items())
        return f"{line} {extra}" if extra else line


def _on_one_line(value: object) -> str:
    text = str(value)
    return text if text.isprintable() else repr(text)[1:-1]


def dress(handler: logging.Handler, log_format: LogFormat = "json") -> logging.Handler:
    """The handler, with our format and with the fields of `context`."""
    handler.addFilter(_ContextFilter())
    handler.addFilter(RepetitionFilter())
    if log_format == "json":
        handler.setFormatter(
            JsonFormatter(
                ["asctime", "levelname", "name", "message"],
                rename_fields={"asctime": "ts", "levelname": "level", "name": "logger"},
                datefmt="%Y-%m-%dT%H:%M:%S%z",
            )
        )
    else:
        handler.setFormatter(_TextFormatter("%(asctime)s %(levelname)-7s %(name)s %(message)s"))
    return handler


def configure(level: str = "INFO", log_format: LogFormat = "json") -> None:
    """Route all logging of the process to stderr in this format. `level` is a name of the logging module."""
    root = logging.getLogger()
    root.handlers[:] = [dress(logging.StreamHandler(sys.stderr), log_format)]
    root.setLevel(level.upper())
    for chatty in ("aiohttp.access", "asyncio"):
        logging.getLogger(chatty).setLevel("WARNING")
