"""A machine that claims the identity of a node that another one has: what it says of itself, in the node's Lease."""

from datetime import datetime

from pydantic import ValidationError

from anka_crds.api.meta import ApiModel


class Challenger(ApiModel):
    host_name: str
    address: str | None = None
    hardware_uuid: str | None = None
    at: datetime | None = None
    """When it last said so: the annotation changes as long as the claim lasts."""

    def to_annotation(self) -> str:
        return self.model_dump_json(by_alias=True, exclude_none=True)

    def describe(self) -> str:
        """In words, for people who look for the machine."""
        more = [f"at {self.address}" if self.address else "", f"hardware UUID {self.hardware_uuid or 'unknown'}"]
        return ", ".join([self.host_name, *filter(None, more)])


def parse_challenger(text: str | None) -> Challenger | None:
    """None without the annotation. One that cannot be read is a machine, too."""
    if not text:
        return None
    try:
        return Challenger.model_validate_json(text)
    except ValidationError:
        return Challenger(host_name=text[:100])
