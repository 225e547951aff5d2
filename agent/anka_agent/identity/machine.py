"""Which machine this is: what tells it from another one with the same disk, or with a copy of its state directory."""

import json
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from anka_runtime.files import write_private

FILE = "machine.json"


@dataclass(frozen=True, slots=True)
class MachineIdentity:
    """`id` is made by chance in a state directory, and again where the directory finds itself on another machine."""

    id: str
    hardware_uuid: str | None

    def holder(self, node: str) -> str:
        """What a Lease of this node says of its holder."""
        return f"{node}/{self.id}"


def read_identity(directory: Path, hardware_uuid: str | None) -> MachineIdentity:
    """Blocking. Raises OSError."""
    # A copy on the same machine has the same hardware, but another place on the disk.
    place = {"hardware_uuid": hardware_uuid, "inode": directory.stat().st_ino}
    file = directory / FILE
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
        if {key: known[key] for key in place} == place:
            return MachineIdentity(str(known["id"]), hardware_uuid)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        pass
    made = MachineIdentity(str(uuid4()), hardware_uuid)
    write_private(file, json.dumps({"id": made.id, **place}) + "\n")
    return made
