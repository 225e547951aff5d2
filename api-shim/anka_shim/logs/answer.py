"""A central log as REST lists it. Pure.

The old controller showed logs only in its portal, and no source says how: the format is ours.
"""

from urllib.parse import urlencode

from pydantic import Field

from anka_crds.rules.central_log import AGENT, READABLE, to_instance_id
from anka_registry.models import RegistryLog
from anka_shim.http.answer import Answer, make_ok
from anka_shim.times import rfc3339

FILE = "/logs/file"
STREAM = "/logs/stream"
ARCHIVE = "/logs/archive"


class LogAnswer(Answer):
    node_id: str = Field(description="The Mac that sent it; of operator and shim, their pod; of the event log, event.")
    instance_id: str | None = Field(description="Instance that it is about; null for logs that are not about one.")
    service: str = Field(
        description="Service that sent it: anka_agent, anka_operator, anka_shim, event, or one per instance."
    )
    size: int = Field(ge=0, description="Bytes.")
    modified: str | None
    file: str | None = Field(description="Path of its content; null if none of our processes sent it.")


LogListOk = make_ok("LogListOk", list[LogAnswer])


def log_answer(log: RegistryLog, namespace: str) -> LogAnswer:
    """`namespace`: where REST makes instances."""
    instance = to_instance_id(log.service, namespace)
    which = {"node_id": log.machine_name, **({} if instance is None else {"instance_id": instance})}
    if log.service in READABLE and log.service != AGENT:
        which["service"] = log.service
    return LogAnswer.of(
        log,
        node_id=log.machine_name,
        instance_id=instance,
        modified=rfc3339(log.modified) if log.modified else None,
        # Logs of other services are listed, but can be read only on the registry's disk.
        file=f"{FILE}?{urlencode(which)}" if instance is not None or log.service in READABLE else None,
    )
