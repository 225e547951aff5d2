"""Names of central logs in the registry: the service that sent a log, and the instance that it is about. Pure."""

from anka_crds.rules.naming import is_uuid

AGENT = "anka_agent"
"""The legacy agent's name for its own log (the vendor's documentation of central logging)."""
OPERATOR = "anka_operator"
SHIM = "anka_shim"
PROCESSES = (AGENT, OPERATOR, SHIM)
"""Services with the whole log of one of our processes."""
EVENT = "event"
"""The event log: the legacy controller's name for the service, and for its one file, `event/event.log`."""
READABLE = (*PROCESSES, EVENT)
"""Services whose logs REST returns by the name of the service."""
_INSTANCE = "instance-"


def to_service(namespace: str, name: str, uid: str) -> str:
    """Service name of an agent's log about one instance. Two instances never share one: where the name may be the id
    that REST shows, which depends on the namespace, all three are in it."""
    return _INSTANCE + (f"{namespace}_{name}_{uid}" if is_uuid(name) else uid)


def to_instance_id(service: str, namespace: str) -> str | None:
    """Id of the instance that a log is about, as a shim shows it whose instances are in this namespace; None for all
    other logs."""
    if not service.startswith(_INSTANCE):
        return None
    match service.removeprefix(_INSTANCE).split("_"):
        case [where, name, uid]:
            return name if where == namespace else uid
        case _:
            return service.removeprefix(_INSTANCE)
