"""How `anka` prints: the JSON envelope for machines, tables and plain lines for people."""

from __future__ import annotations

from anka_sim.mac import fastjson

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Reply:
    """The result of a command: the body for machines, a message, and the text for people if it is not the body."""

    def __init__(self, body: Any = None, message: str = "", text: str | None = None) -> None:
        self.body = {} if body is None else body
        self.message = message
        self.text = text


def envelope(body: Any, code: int = 0, message: str = "") -> str:
    """One line of JSON. It ends without a newline: packer recognises the answer by that."""
    return fastjson.dumps({"status": "ERROR" if code else "OK", "code": code, "body": body, "message": message})


def human(reply: Reply) -> str:
    """What a person sees."""
    if reply.text is not None:
        return reply.text
    body = reply.body
    if isinstance(body, list):
        return table(body)
    if isinstance(body, dict):
        return _properties(body)
    return str(body)


def table(rows: list[Any]) -> str:
    """Rows as the command draws them, with the columns of all rows in order of appearance."""
    if not rows:
        return ""
    if not isinstance(rows[0], dict):
        return "\n".join(str(row) for row in rows)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    cells = [columns, *([_cell(row.get(column, "")) for column in columns] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    rule = "+" + "+".join("-" * (width + 2) for width in widths) + "+"

    def draw(line: list[str]) -> str:
        return "| " + " | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) + " |"

    return "\n".join([rule, draw(cells[0]), rule, *(draw(line) for line in cells[1:]), rule])


def _properties(body: dict[str, Any]) -> str:
    lines = []
    for key, value in body.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            lines.append(f"{key}:\n{table(value)}")
        else:
            lines.append(f"{key}: {_cell(value)}")
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (dict, list)):
        return fastjson.dumps(value)
    return str(value)
