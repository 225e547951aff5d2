from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from support.shim_rig import Rig, rig


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("src", "href") and value]


async def page(shim: Rig) -> str:
    response = await shim.http.get("/docs")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    return response.text


def links(text: str) -> Iterator[str]:
    parser = Links()
    parser.feed(text)
    yield from parser.found


async def test_the_page_names_no_other_host() -> None:
    async with rig() as shim:
        text = await page(shim)
        assert re.findall(r"""(?:https?:)?//[\w.-]+""", re.sub(r"// .*", "", text)) == []
        assert '"validatorUrl": null' in text
        assert "url: '/openapi.json'" in text


async def test_all_that_the_page_loads_is_served_here() -> None:
    async with rig() as shim:
        found = list(links(await page(shim)))
        assert len(found) == 3
        for link in found:
            response = await shim.http.get(link)
            assert response.status_code == 200, link
            assert len(response.content) > 100
            if link.endswith(".css"):
                # Pictures are in the style sheet itself.
                assert re.findall(r"url\((?!data:|\"data:)[^)]*\)|@import", response.text) == []


async def test_other_files_of_the_package_are_not_served() -> None:
    async with rig() as shim:
        for path in ("/docs/__init__.py", "/docs/../main.py", "/docs/%2e%2e/main.py", "/docs/oauth2-redirect"):
            assert (await shim.http.get(path)).status_code == 404


async def test_a_slash_at_the_end_does_no_harm() -> None:
    async with rig() as shim:
        assert (await shim.http.get("/docs/")).text == await page(shim)
