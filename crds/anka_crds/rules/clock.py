"""Whether the clock of a Mac is too wrong for new work: its VMs take their time from it."""

from anka_crds.api.defaults import MAX_CLOCK_SKEW_SECONDS


def is_skewed(ahead_seconds: float | None) -> bool:
    return ahead_seconds is not None and abs(ahead_seconds) > MAX_CLOCK_SKEW_SECONDS


def describe_skew(ahead_seconds: float) -> str:
    return f"{abs(ahead_seconds):.0f} s {'ahead of' if ahead_seconds > 0 else 'behind'} the API's"
