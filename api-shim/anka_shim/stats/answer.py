"""`GET /api/v1/stats`: the body. Pure.

The old controller's documentation names these two and says no more: their meaning is ours."""

from pydantic import Field

from anka_shim.http.answer import Amount, Answer, make_ok

WINDOW_SECONDS = 300
"""What the figures are about: long enough for a figure that does not jump, short enough to show a jam."""


class StatsAnswer(Answer):
    """Of the instances that have got a Mac within the last 5 minutes."""

    average_queue_time: Amount = Field(
        description="Seconds that they waited for it, on average; 0 if there are none.", examples=[1.25]
    )
    tasks_per_second: Amount = Field(description="How many they are, for each second.", examples=[0.4])


StatsOk = make_ok("StatsOk", StatsAnswer)
