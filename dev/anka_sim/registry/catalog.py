"""What a simulated registry holds: templates with their versions, in a directory.

`DIR/<uuid>/template.json` and `DIR/<uuid>/images/<name>`; every change replaces a file in one step. An image's
declared size is a number in the template; its file is small: the packed files of the VM.
"""

from __future__ import annotations

import json
import shutil
import threading
import time
import uuid as uuids
from pathlib import Path
from typing import Any

from anka_sim.mac.files import replace_file


class CatalogError(Exception):
    """What the registry refuses; the text is the message of its FAIL answer."""


class RegistryCatalog:
    """The templates in one directory. Safe for the threads of one server process."""

    def __init__(self, directory: str | Path) -> None:
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()

    def all(self) -> list[dict[str, Any]]:
        """Every template, oldest first."""
        found = [json.loads(path.read_text()) for path in self.directory.glob("[!.]*/template.json")]
        return sorted(found, key=lambda template: template["created"])

    def get(self, uuid: str) -> dict[str, Any]:
        path = self._dir(uuid) / "template.json"
        if not path.exists():
            raise CatalogError(f"{uuid}: not found")
        template: dict[str, Any] = json.loads(path.read_text())
        return template

    def version(self, uuid: str, tag: str | None = None, number: int | None = None) -> dict[str, Any]:
        """A version by tag or number; the newest when neither is given."""
        versions = self.get(uuid)["versions"]
        for version in versions:
            if (tag is not None and version["tag"] == tag) or (number is not None and version["number"] == number):
                return dict(version)
        if tag is not None:
            raise CatalogError(f"No such tag {tag}")
        if number is not None:
            raise CatalogError(f"version {number}: not found")
        if not versions:
            raise CatalogError(f"{uuid}: not found: it has no versions")
        return dict(versions[-1])

    def image(self, uuid: str, name: str) -> Path:
        """The file of an image; it may not exist. Names that could lead elsewhere are refused."""
        if Path(name).name != name or name.startswith("."):
            raise CatalogError(f"bad image name {name!r}")
        return self._dir(uuid) / "images" / name

    def manifest(self, uuid: str, tag: str | None) -> dict[str, Any]:
        """Everything a Mac needs to pull a version."""
        template = self.get(uuid)
        version = self.version(uuid, tag)
        return {
            "id": uuid,
            "name": template["name"],
            "arch": template["arch"],
            "creation_date": version["creation_date"],
            "tag": version["tag"],
            "number": version["number"],
            "size": version["size"],
            "description": version["description"],
            "suspended": version.get("suspended", False),
            "config": version["config"],
            "layers": version["layers"],
        }

    def record_pull(self, uuid: str, tag: str) -> None:
        """Record that a Mac has pulled a version."""
        with self._lock:
            template = self.get(uuid)
            number = self.version(uuid, tag)["number"]
            template["last_pull"] = int(time.time())
            for held in template["versions"]:
                if held["number"] == number:
                    held["last_pull"] = template["last_pull"]
            self._save(template)

    def push(
        self,
        uuid: str,
        name: str,
        tag: str,
        layer: dict[str, Any],
        *,
        arch: str,
        config: dict[str, Any],
        description: str = "",
        base: list[dict[str, Any]] | None = None,
        force: bool = False,
        suspended: bool = False,
    ) -> dict[str, Any]:
        """Add a version on top of `base` (by default the newest version's layers); its image file must exist."""
        with self._lock:
            now = int(time.time())
            try:
                template = self.get(uuid)
            except CatalogError:
                template = {
                    "id": uuid,
                    "name": name,
                    "arch": arch,
                    "size": 0,
                    "created": time.time(),
                    "last_pull": 0,
                    "last_push": 0,
                    "versions": [],
                }
                self._name_is_free(name)
            replaced = [version for version in template["versions"] if version["tag"] == tag]
            if replaced and not force:
                raise CatalogError(f"tag {tag} already exists")
            template["versions"] = [version for version in template["versions"] if version["tag"] != tag]
            newest = template["versions"][-1]["layers"] if template["versions"] else []
            layers = [*(newest if base is None else base), layer]
            number = template["versions"][-1]["number"] + 1 if template["versions"] else 0
            version = {
                "number": number,
                "tag": tag,
                "description": description,
                "layers": layers,
                "config": config,
                "size": sum(int(item["size"]) for item in layers),
                "creation_date": now,
                "last_pull": 0,
                "last_push": now,
                "suspended": suspended,
            }
            template["versions"].append(version)
            template["last_push"] = now
            self._save(template)
            self._free(uuid, replaced, template["versions"])
            return version

    def revert(self, uuid: str, tag: str | None = None, number: int | None = None) -> None:
        """Remove a version and all newer ones; the newest when neither is given."""
        with self._lock:
            template = self.get(uuid)
            first = self.version(uuid, tag, number)["number"]
            removed = [version for version in template["versions"] if version["number"] >= first]
            template["versions"] = [version for version in template["versions"] if version["number"] < first]
            self._save(template)
            self._free(uuid, removed, template["versions"])

    def delete(self, uuid: str) -> None:
        with self._lock:
            self.get(uuid)
            doomed = self.directory / f".deleted-{uuids.uuid4()}"
            self._dir(uuid).rename(doomed)
            shutil.rmtree(doomed)

    def set_arch(self, uuid: str, arch: str) -> None:
        if arch not in ("amd64", "arm64"):
            raise CatalogError(f"arch {arch!r} is not amd64 or arm64")
        with self._lock:
            self._save({**self.get(uuid), "arch": arch})

    def _save(self, template: dict[str, Any]) -> None:
        template["size"] = max((version["size"] for version in template["versions"]), default=0)
        path = self._dir(template["id"]) / "template.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(str(path), json.dumps(template))

    def _free(self, uuid: str, removed: list[dict[str, Any]], kept: list[dict[str, Any]]) -> None:
        """Delete the images of removed versions that no kept one has. Uploads that are not a version yet stay."""
        for name in _images(removed) - _images(kept):
            self.image(uuid, name).unlink(missing_ok=True)

    def _name_is_free(self, name: str) -> None:
        if any(template["name"] == name for template in self.all()):
            raise CatalogError(f"template {name} already exists")

    def _dir(self, uuid: str) -> Path:
        if not uuid or Path(uuid).name != uuid or uuid.startswith("."):
            raise CatalogError(f"{uuid}: not found")
        return self.directory / uuid


def _images(versions: list[dict[str, Any]]) -> set[str]:
    return {layer["name"] for version in versions for layer in version["layers"]}
