"""How often people see the progress of a pull. Pure.

Each report is a write of the whole object, and an event that the apiserver compares with every watch of the kind: at a
thousand Macs, and one report each 5 s, pulls would cost it more than all else in the life of an instance.
"""

LOOK_SECONDS = 5.0
"""Between two looks at a pull. One that ends before the first look is not reported."""
LEAST_SECONDS, LEAST_POINTS = 15.0, 10
"""A report comes at least this long after the last one, and shows at least so many percent points more …"""
MOST_SECONDS = 60.0
"""… or this long after it, if there is anything new."""


def is_report_due(reported: int | None, percent: int, seconds: float) -> bool:
    """`reported`: the percentage that people see; None: not even that there is a pull. `seconds`: since the last
    report, or since the beginning."""
    if reported is None:
        return True
    if percent == reported or seconds < LEAST_SECONDS:
        return False
    return abs(percent - reported) >= LEAST_POINTS or seconds >= MOST_SECONDS
