"""What server and browser say to each other. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from anka_shim.portal.kinds import KIND_RIGHTS

_LONGEST_VERSION = 200
PART_BYTES = 65_536


class NotUnderstood(Exception):
    """What the browser sent; with what is wrong."""


@dataclass(frozen=True, slots=True)
class Opening:
    """The one message of a browser. `since`: versions of the lists that it has. Kinds that are not known here are of a
    page of another version: it gets the others, and learns by the hello that there is another version."""

    kinds: tuple[str, ...]
    since: Mapping[str, str] = field(default_factory=dict)


def parse_opening(text: str) -> Opening:
    """Raises NotUnderstood."""
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise NotUnderstood("the first message must be JSON") from None
    if not isinstance(data, dict) or data.get("type") != "open":
        raise NotUnderstood("the first message must have type open")
    kinds = data.get("kinds")
    if not isinstance(kinds, list) or not any(kind in KIND_RIGHTS for kind in _texts(kinds)):
        raise NotUnderstood(f"kinds: must be a list of {', '.join(KIND_RIGHTS)}")
    since = data.get("since") or {}
    if not isinstance(since, dict) or any(
        not isinstance(version, str) or len(version) > _LONGEST_VERSION for version in since.values()
    ):
        raise NotUnderstood("since: must be an object with a text for each kind")
    return Opening(tuple(kind for kind in KIND_RIGHTS if kind in kinds), since)


def _texts(values: list[Any]) -> Iterator[str]:
    """An empty text, which is no kind, for what is no text."""
    return (value if isinstance(value, str) else "" for value in values)


def hello(
    about: Mapping[str, str], session: Mapping[str, Any], kinds: Sequence[str], denied: Mapping[str, str]
) -> bytes:
    """`about`: version, replica and time."""
    return orjson.dumps({"type": "hello", **about, "session": session, "kinds": kinds, "denied": denied})


def ping(time: str, stale: Mapping[str, float]) -> bytes:
    return orjson.dumps({"type": "ping", "time": time, "stale": stale})


def end(reason: str, message: str) -> bytes:
    return orjson.dumps({"type": "end", "reason": reason, "message": message})


def change(version: str, rows: Iterable[bytes], removed: Sequence[str]) -> bytes:
    """Of one kind, for `delta`. `rows` are encoded."""
    upsert = b'"upsert":[%s]' % b",".join(rows)
    return b'{"version":%s,%s,"remove":%s}' % (orjson.dumps(version), upsert, orjson.dumps(removed))


def delta(changes: Mapping[str, bytes]) -> bytes:
    """`changes`: encoded, by kind."""
    return b'{"type":"delta","changes":{%s}}' % b",".join(
        b"%s:%s" % (orjson.dumps(kind), encoded) for kind, encoded in changes.items()
    )


def snapshot(kind: str, version: str, rows: Iterable[bytes]) -> Iterator[bytes]:
    """In parts of about PART_BYTES."""
    part = [b'{"type":"snapshot","kind":%s,"version":%s,"rows":[' % (orjson.dumps(kind), orjson.dumps(version))]
    size = 0
    separator = b""
    for row in rows:
        part += (separator, row)
        separator = b","
        size += len(row)
        if size >= PART_BYTES:
            yield b"".join(part)
            part, size = [], 0
    part.append(b"]}")
    yield b"".join(part)
