"""An object as a person sees it with `kubectl get -o yaml` and `kubectl describe`, without its secrets. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import yaml

from anka_crds.rules.text import shorten

HIDDEN = "(hidden)"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""Has the whole spec once more, with its secrets."""
MOST_EVENTS = 100
_LONGEST = 4096

_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def without_secrets(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """A VNC password is hidden. Scripts are not: who may list instances sees what they run."""
    metadata = dict(manifest.get("metadata") or {})
    metadata.pop("managedFields", None)
    annotations = {key: value for key, value in (metadata.get("annotations") or {}).items() if key != _LAST_APPLIED}
    metadata.pop("annotations", None)
    if annotations:
        metadata["annotations"] = annotations
    shown = {**manifest, "metadata": metadata}
    spec = manifest.get("spec")
    if isinstance(spec, Mapping) and "vncPassword" in spec:
        shown["spec"] = {**spec, "vncPassword": HIDDEN}
    return shown


def to_yaml(manifest: Mapping[str, Any]) -> str:
    text: str = yaml.dump(dict(manifest), Dumper=_DUMPER, sort_keys=False, allow_unicode=True, width=120)
    return text


def event_answers(raw: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The newest first. Who writes Events may write anything: what cannot be read is left out."""
    found = [answer for answer in map(_event, raw) if answer is not None]
    return sorted(found, key=lambda event: _instant(event["at"]), reverse=True)[:MOST_EVENTS]


def _event(raw: Mapping[str, Any]) -> dict[str, Any] | None:
    series = raw.get("series") if isinstance(raw.get("series"), dict) else {}
    metadata = raw.get("metadata") if isinstance(raw.get("metadata"), dict) else {}
    moments = (
        (series or {}).get("lastObservedTime"),
        raw.get("lastTimestamp"),
        raw.get("eventTime"),
        raw.get("firstTimestamp"),
        (metadata or {}).get("creationTimestamp"),
    )
    at = next((moment for moment in moments if isinstance(moment, str) and _parse(moment) is not None), None)
    if at is None:
        return None
    count = (series or {}).get("count") or raw.get("count")
    source = raw.get("source") if isinstance(raw.get("source"), dict) else {}
    return {
        "at": at,
        "type": _text(raw.get("type")),
        "reason": _text(raw.get("reason")),
        "message": _text(raw.get("message")),
        "count": count if isinstance(count, int) and count > 0 else 1,
        "by": _text(raw.get("reportingComponent")) or _text((source or {}).get("component")),
    }


def _text(value: object) -> str:
    return shorten(value, _LONGEST) if isinstance(value, str) else ""


def _parse(moment: str) -> datetime | None:
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return parsed if parsed.tzinfo is not None else None


def _instant(moment: str) -> float:
    parsed = _parse(moment)
    return 0.0 if parsed is None else parsed.timestamp()
