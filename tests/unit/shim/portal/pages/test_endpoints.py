from __future__ import annotations

import gzip

import pytest

from anka_shim.portal.pages import endpoints
from anka_shim.portal.pages.endpoints import accepts_gzip
from anka_shim.portal.pages.static_files import INDEX, PLACE, StaticFiles, pack
from support.shim_rig import rig

SCRIPT = b"export const all = 1;\n" * 100


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> StaticFiles:
    index = b'<!doctype html><script type="module" src="' + PLACE + b'main.js"></script>'
    found = pack({INDEX: index, "main.js": SCRIPT, "views/a.js": b"1"}, "1.0")
    monkeypatch.setattr(endpoints, "static_files", lambda: found)
    return found


async def test_a_browser_is_led_to_the_page(files: StaticFiles) -> None:
    async with rig() as shim:
        led = await shim.http.get("/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
        assert (led.status_code, led.headers["location"]) == (302, "/portal/")
        page = await shim.http.get("/portal/")
        assert page.status_code == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.headers["cache-control"] == "no-cache"
        assert "script-src 'self';" in page.headers["content-security-policy"]
        assert "unsafe" not in page.headers["content-security-policy"]
        assert page.headers["x-content-type-options"] == "nosniff"
        script = page.text.split('src="')[1].split('"')[0]
        loaded = await shim.http.get(script)
        assert loaded.content == SCRIPT
        assert "immutable" in loaded.headers["cache-control"]


@pytest.mark.parametrize("accept", ["*/*", "application/json", ""])
async def test_all_others_get_at_the_root_what_they_always_got(files: StaticFiles, accept: str) -> None:
    async with rig() as shim:
        answer = await shim.http.get("/", headers={"Accept": accept})
        assert answer.status_code == 404
        assert answer.json() == {"status": "FAIL", "message": "no such endpoint: / (see /docs)"}
        assert (await shim.http.post("/", headers={"Accept": "text/html"})).status_code == 404


async def test_packed_and_known_already(files: StaticFiles) -> None:
    async with rig() as shim:
        path = f"/portal/static/{files.version}/main.js"
        plain = await shim.http.get(path, headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers
        async with shim.http.stream("GET", path, headers={"Accept-Encoding": "br, gzip"}) as packed:
            assert packed.headers["content-encoding"] == "gzip"
            assert gzip.decompress(b"".join([part async for part in packed.aiter_raw()])) == SCRIPT
        again = await shim.http.get(path, headers={"If-None-Match": f'"x", W/{plain.headers["etag"]}'})
        assert (again.status_code, again.content) == (304, b"")
        head = await shim.http.head(path, headers={"Accept-Encoding": "identity"})
        assert (head.status_code, head.headers["content-length"]) == (200, str(len(SCRIPT)))


@pytest.mark.parametrize(
    "path",
    ["../../../settings.py", "..%2f..%2fsettings.py", "%2e%2e/feature.py", "main.js/", "index.html", "views", ""],
)
async def test_there_are_no_other_files(files: StaticFiles, path: str) -> None:
    async with rig() as shim:
        answer = await shim.http.get(f"/portal/static/{files.version}/{path}")
        if path == "main.js/":
            assert answer.status_code == 200  # as everywhere, a slash at the end counts for nothing
        else:
            assert answer.status_code == 404
            assert answer.json()["status"] == "FAIL"


async def test_files_of_another_version(files: StaticFiles) -> None:
    async with rig() as shim:
        answer = await shim.http.get("/portal/static/0.9-abc/main.js")
        assert (answer.status_code, answer.json()["message"]) == (404, "no such file: reload the page")
        assert answer.headers["cache-control"] == "no-store", "another replica may have it"


async def test_it_can_be_turned_off() -> None:
    async with rig(portal=False) as shim:
        assert (await shim.http.get("/portal/")).status_code == 404
        assert (await shim.http.get("/", headers={"Accept": "text/html"})).status_code == 404


@pytest.mark.parametrize(
    ("accepted", "is_accepted"),
    [("", False), ("gzip", True), ("br, GZIP;q=0.5", True), ("gzip;q=0", False), ("gzip; q=0.0", False), ("*", True)],
)
def test_accepts_gzip(accepted: str, is_accepted: bool) -> None:
    assert accepts_gzip(accepted) is is_accepted
