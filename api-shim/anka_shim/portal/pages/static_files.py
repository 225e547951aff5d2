"""The files of the page, read and compressed once: what is asked for is looked up in a table, never on a disk."""

import gzip
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from anka_runtime.version import package_version

INDEX = "index.html"
PLACE = b"/portal/static/version/"
"""In the index: stands for the path of the files, which has their version in it."""
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    "LICENSE": "text/plain; charset=utf-8",
}
"""By how the name ends. Other files of the folder are for developers, and not served."""
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
    served = {path: content for path, content in contents.items() if find_media_type(path) is not None}
    for path, content in sorted(served.items()):
        digest.update(f"{len(path)} {path} {len(content)} ".encode() + content)
    version = f"{package}-{digest.hexdigest()[:12]}"
    index = _preload_modules(served.pop(INDEX), served).replace(PLACE, f"/portal/static/{version}/".encode())
    return StaticFiles(
        version, make_file(INDEX, index), {path: make_file(path, content) for path, content in served.items()}
    )


def _preload_modules(index: bytes, paths: Iterable[str]) -> bytes:
    """Modules import each other some levels deep: named in the page, they are all asked for at once, and not a level at
    a time."""
    modules = sorted(path for path in paths if path.endswith(".js"))
    links = b"".join(b'<link rel="modulepreload" href="%s%s">' % (PLACE, path.encode()) for path in modules)
    return index.replace(b"</head>", links + b"</head>", 1)


def find_media_type(path: str) -> str | None:
    """None for a file that is not served."""
    return next((type_ for ending, type_ in MEDIA_TYPES.items() if path.endswith(ending)), None)


def make_file(path: str, content: bytes) -> StaticFile:
    packed = gzip.compress(content, 9, mtime=0) if len(content) >= _SMALLEST else content
    media_type = find_media_type(path) or "application/octet-stream"
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
