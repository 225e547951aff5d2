import pytest

from localkube.progress import Heartbeat, minutes


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (9.9, "0:09"), (61, "1:01"), (3725, "62:05")])
def test_minutes(seconds: float, text: str) -> None:
    assert minutes(seconds) == text


def test_at_most_one_line_per_interval() -> None:
    now = 100.0
    said: list[str] = []
    heart = Heartbeat(said.append, interval=10, clock=lambda: now)
    for now in (101.0, 109.9, 110.0, 112.0, 119.0, 131.0):  # noqa: B007 - read by the clock
        heart.beat("working")
    assert said == ["working (0:10)", "working (0:31)"]
    assert heart.seconds == 31
