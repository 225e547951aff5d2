"""Load over HTTP from a process of its own: closed loop (so many clients, each waits for its answer) or open loop
(a fixed rate, whatever the answers take).

The clock of an open loop starts when a request was due, not when it was sent: a server that stalls is charged for all
those that had to wait meanwhile (no coordinated omission).
"""

from anka_dev.bench.load.driver import run_load
from anka_dev.bench.load.plan import Plan, Result

__all__ = ["Plan", "Result", "run_load"]
