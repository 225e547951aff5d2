"""Times as the old API writes them: RFC 3339, and a zero date for "never"."""

from datetime import UTC, datetime

NEVER = "0001-01-01T00:00:00Z"


def rfc3339(moment: datetime | None) -> str:
    """In UTC, with as many digits as there are."""
    if moment is None:
        return NEVER
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def epoch(moment: datetime | None) -> int:
    """Whole seconds since 1970; 0 for "never"."""
    return max(0, int(moment.timestamp())) if moment else 0
