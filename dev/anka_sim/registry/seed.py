"""Fill a registry directory with templates, without any Mac."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid as uuids
from pathlib import Path
from typing import Any

from anka_sim.mac import sandbox
from anka_sim.registry.catalog import CatalogError, RegistryCatalog

GIB = 1 << 30
SSH_RULE = {"name": "ssh", "protocol": "tcp", "guest_port": 22, "host_port": 0, "host_ip": ""}


def template(
    directory: str | Path,
    name: str,
    *,
    tag: str = "vanilla+port-forward-22",
    uuid: str | None = None,
    arch: str = "arm64",
    size: int = 15 * GIB,
    home: str | Path | None = None,
    description: str = "",
    cpu: int = 4,
    ram: int = 4 * GIB,
    disk: int = 100 * GIB,
    rules: list[dict[str, Any]] | None = None,
    config: dict[str, Any] | None = None,
) -> str:
    """Add a version of a template, and the template if it is new; returns its UUID. Sizes in bytes.

    `home` is a directory whose files the VM's user finds in the home directory (such as `.ssh/authorized_keys`). The
    port forwarding rule `ssh` for guest port 22 is there unless `rules` says otherwise. Seeding a tag again
    replaces it.
    """
    catalog = RegistryCatalog(directory)
    known = next((held for held in catalog.all() if held["name"] == name or held["id"] == uuid), None)
    if known is None:
        found = uuid or str(uuids.uuid4())
    elif uuid and known["id"] != uuid:
        raise CatalogError(f"template {name} exists with another UUID, {known['id']}")
    else:
        found = known["id"]
    layer_name = f"{uuids.uuid4()}.ank"
    target = catalog.image(found, layer_name)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        root = sandbox.make(os.path.join(scratch, "root"))
        if home is not None:
            shutil.copytree(home, os.path.join(root, sandbox.USER_HOME), dirs_exist_ok=True, symlinks=True)
        with open(target, "wb") as file:
            sandbox.pack(root, file)
    older = [version for version in (known["versions"] if known else []) if version["tag"] != tag]
    below = int(older[-1]["size"]) if older else 0
    layer = {"name": layer_name, "size": max(size - below, 1), "payload": target.stat().st_size}
    catalog.push(
        found,
        name,
        tag,
        layer,
        arch=arch,
        description=description,
        force=True,
        config={
            "cpu_cores": cpu,
            "ram_bytes": ram,
            "hard_drive": disk,
            "rules": [SSH_RULE] if rules is None else rules,
            **(config or {}),
        },
    )
    return found
