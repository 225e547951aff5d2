"""Values as texts: times of the Kubernetes API, sizes of RAM, and what a field has room for."""

import json
import re
from datetime import UTC, datetime

from anka_crds.api.limits import MAX_TEXT

_MOST_BYTES = 6
_ELLIPSIS_BYTES = 3
_ESCAPED = ("<", ">", "&", "\u2028", "\u2029")
"""Go's encoder writes these as six characters as well."""
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([KMGT]?)(?:I?B)?", re.IGNORECASE)
_MIB = {"": 1 / 1024**2, "K": 1 / 1024, "M": 1.0, "G": 1024.0, "T": 1024.0**2}


def format_time(moment: datetime) -> str:
    """metav1.Time: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def shorten(text: str, limit: int = MAX_TEXT) -> str:
    """At most `limit` characters; an ellipsis ends a text that was longer."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def shorten_bytes(text: str, limit: int, *, keep_end: bool = False) -> str:
    """At most `limit` bytes as etcd stores it, JSON, which may take six for one character. An ellipsis stands for what
    is left out: the rest, or with `keep_end` the beginning."""
    if len(text) * _MOST_BYTES <= limit or _text_size(text) <= limit:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if _text_size(text[-middle:] if keep_end else text[:middle]) <= limit - _ELLIPSIS_BYTES:
            low = middle
        else:
            high = middle - 1
    return "…" + text[len(text) - low :] if keep_end else text[:low] + "…"


def stored_size(dumped: str) -> int:
    """Bytes of a JSON text in etcd."""
    return len(dumped.encode("utf-8", "replace")) + sum(dumped.count(one) * (6 - len(one.encode())) for one in _ESCAPED)


def _text_size(text: str) -> int:
    return stored_size(json.dumps(text, ensure_ascii=False)) - 2


def to_mebibytes(size: str | None) -> int:
    """RAM as the anka command writes it: `4G` -> 4096; a bare number is bytes. 0 for what isn't a size."""
    match = _SIZE.fullmatch(size.strip()) if size else None
    return round(float(match[1]) * _MIB[match[2].upper()]) if match else 0
