"""Phases of an instance and states of a node, with the values of the legacy API."""

from enum import StrEnum


class Phase(StrEnum):
    """Clients of the legacy API accept no other value: docs/reference/legacy-api.md#closed-states."""

    SCHEDULING = "Scheduling"
    PULLING = "Pulling"
    STARTED = "Started"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    TERMINATING = "Terminating"
    TERMINATED = "Terminated"
    ERROR = "Error"
    PUSHING = "Pushing"


class NodeState(StrEnum):
    """See docs/reference/legacy-api.md#node-state."""

    OFFLINE = "Offline"
    INACTIVE = "Inactive (Invalid License)"
    ACTIVE = "Active"
    UPDATING = "Updating"
    UNHEALTHY = "Unhealthy"
    DRAIN = "Drain Mode"
