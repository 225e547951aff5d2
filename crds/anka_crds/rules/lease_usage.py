"""Usage of a Mac as an annotation of its Lease: the heartbeat is written every few seconds anyway."""

from collections.abc import Mapping

from pydantic import ValidationError

from anka_crds.api.meta import GROUP
from anka_crds.api.node import MacUsage

USAGE = f"{GROUP}/usage"


def to_annotations(usage: MacUsage) -> dict[str, str]:
    return {USAGE: usage.model_dump_json(by_alias=True)}


def parse_usage(annotations: Mapping[str, str]) -> MacUsage | None:
    """None without the annotation, or if it cannot be read: the node's status then has older figures."""
    try:
        return MacUsage.model_validate_json(annotations[USAGE])
    except (KeyError, ValidationError):
        return None
