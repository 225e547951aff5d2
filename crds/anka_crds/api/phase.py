"""The words for the life of an instance and of a node: exactly those of the old controller (seed document)."""

from enum import StrEnum


class Phase(StrEnum):
    """`instance_state` of the seed document. Clients know no other word, so there is no other."""

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
    """`state` of a node in the seed document."""

    OFFLINE = "Offline"
    INACTIVE = "Inactive (Invalid License)"
    ACTIVE = "Active"
    UPDATING = "Updating"
    UNHEALTHY = "Unhealthy"
    DRAIN = "Drain Mode"
