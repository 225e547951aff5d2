from __future__ import annotations

import gzip

from hypothesis import given
from hypothesis import strategies as st

from anka_shim.portal.pages.static_files import INDEX, PLACE, make_file, pack, static_files

contents = st.dictionaries(
    st.sampled_from(["main.js", "a/b.css", "icon.svg", "b/LICENSE"]), st.binary(max_size=600), max_size=5
)


@given(contents, contents)
def test_another_content_is_another_version(first: dict[str, bytes], second: dict[str, bytes]) -> None:
    one, other = pack({INDEX: b"", **first}, "1.0"), pack({INDEX: b"", **second}, "1.0")
    assert (one.version == other.version) is ({INDEX: b"", **first} == {INDEX: b"", **second})


def test_the_index_names_the_files_of_its_version() -> None:
    packed = pack({INDEX: b'<script src="' + PLACE + b'main.js">', "main.js": b"x"}, "1.0")
    assert packed.index.content == f'<script src="/portal/static/{packed.version}/main.js">'.encode()
    assert list(packed.by_path) == ["main.js"]


@given(st.binary(max_size=3000))
def test_what_is_packed_is_the_same(content: bytes) -> None:
    file = make_file("a.js", content)
    assert file.content == content
    assert file.packed is None or (gzip.decompress(file.packed) == content and len(file.packed) < len(content))


def test_media_types_and_what_is_not_served() -> None:
    names = ["a/b.js", "a.css", "lit/LICENSE", "types.d.ts", "package.json", "views/__init__.py"]
    packed = pack({INDEX: b"", **dict.fromkeys(names, b"x")}, "1.0")
    assert {path: file.media_type for path, file in packed.by_path.items()} == {
        "a/b.js": "text/javascript; charset=utf-8",
        "a.css": "text/css; charset=utf-8",
        "lit/LICENSE": "text/plain; charset=utf-8",
    }


def test_ours() -> None:
    assert b"<!doctype html>" in static_files().index.content.lower()
    assert PLACE not in static_files().index.content


def test_the_page_names_all_modules_so_that_they_come_at_once() -> None:
    found = pack({"index.html": b"<head></head>", "main.js": b"1", "core/store.js": b"2", "a.css": b"3"}, "1.2.3")
    place = f"/portal/static/{found.version}/"
    links = [f'<link rel="modulepreload" href="{place}{path}">' for path in ("core/store.js", "main.js")]
    assert found.index.content.decode() == f"<head>{''.join(links)}</head>"
