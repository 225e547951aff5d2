"""The files of the page, read and compressed once: what is asked for is looked up in a table, never on a disk."""

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from anka_runtime.version import package_version

INDEX = "index.html"
PLACE = b"__STATIC__"
"""In the index: stands for the path of the files, which has their version in it."""
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".md": "text/plain; charset=utf-8",
}
_SMALLEST = 256
"""Bytes from which on compression is worth it."""


@dataclass(frozen=True, slots=True)
class StaticFile:
    """`packed`: by gzip; None where that is no shorter."""

    content: bytes
    packed: bytes | None
    media_type: str
    tag: str


@dataclass(frozen=True)
class StaticFiles:
    """`version`: another one for any other content. `by_path`: with slashes, without the index."""

    version: str
    index: StaticFile
    by_path: Mapping[str, StaticFile]


@cache
def static_files() -> StaticFiles:
    """Those of this package."""
    return pack(dict(_walk(files("anka_shim.portal").joinpath("static"))), package_version())


def pack(contents: Mapping[str, bytes], package: str) -> StaticFiles:
    """`contents`: by path, the index among them."""
    digest = hashlib.sha256()
    for path, content in sorted(contents.items()):
        digest.update(f"{len(path)} {path} {len(content)} ".encode() + content)
    version = f"{package}-{digest.hexdigest()[:12]}"
    index = contents[INDEX].replace(PLACE, f"/portal/static/{version}".encode())
    others = {path: make_file(path, content) for path, content in contents.items() if path != INDEX}
    return StaticFiles(version, make_file(INDEX, index), others)


def make_file(path: str, content: bytes) -> StaticFile:
    packed = gzip.compress(content, 9, mtime=0) if len(content) >= _SMALLEST else content
    suffix = path[path.rfind(".") :] if "." in path else ""
    media_type = MEDIA_TYPES.get(suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"
    tag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
    return StaticFile(content, packed if len(packed) < len(content) else None, media_type, tag)


def _walk(folder: Traversable, prefix: str = "") -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for entry in folder.iterdir():
        if entry.name.startswith((".", "__")):
            continue
        if entry.is_dir():
            found += _walk(entry, f"{prefix}{entry.name}/")
        else:
            found.append((f"{prefix}{entry.name}", entry.read_bytes()))
    return found
