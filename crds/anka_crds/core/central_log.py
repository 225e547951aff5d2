"""Names of central logs in the registry: which service sent it, and of which instance it tells. Pure."""

from __future__ import annotations

AGENT = "anka_agent"
"""As the old agent calls its own log (the vendor's documentation of central logging)."""
_INSTANCE = "instance-"


def of_instance(instance_id: str) -> str:
    """Service of what an agent says about one instance."""
    return _INSTANCE + instance_id


def instance_of(service: str) -> str | None:
    """Id of the instance that a log tells of; None for all other logs."""
    return service.removeprefix(_INSTANCE) if service.startswith(_INSTANCE) else None
