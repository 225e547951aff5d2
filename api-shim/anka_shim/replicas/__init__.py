"""The other replicas of the shim: discovery, and the barrier that makes reads see earlier writes."""
