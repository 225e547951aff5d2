"""A picture of a page, as a browser shows it: with the invented rows, or of a server that runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from playwright.async_api import ConsoleMessage, Page, async_playwright

from anka_dev.portal.browser import find_browser
from anka_dev.portal.serve import make_app
from localkube.errors import DevError

READY = "main[data-view]:not([data-view='login']) > *:not(h1)"


@dataclass(frozen=True)
class Picture:
    """What is to be seen, and where it is written. `url`: of a portal that runs; None: invented rows. `see`: selectors
    of what has to be visible first."""

    hash: str
    out: Path
    width: int = 1440
    height: int = 900
    is_dark: bool = False
    url: str | None = None
    rate: float = 0.0
    press: tuple[str, ...] = ()
    click: tuple[str, ...] = ()
    see: tuple[str, ...] = ()


@asynccontextmanager
async def serving(picture: Picture) -> AsyncIterator[str]:
    if picture.url:
        yield picture.url.rstrip("/")
        return
    runner = web.AppRunner(make_app(rate=picture.rate))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        port = runner.addresses[0][1]
        yield f"http://127.0.0.1:{port}/portal/"
    finally:
        await runner.cleanup()


async def take(picture: Picture) -> list[str]:
    """Writes the picture; returns what the console and the page complained about."""
    browser_path = find_browser()
    if browser_path is None:
        raise DevError("no browser here: install chromium (make browser), or name one in ANKA_BROWSER")
    complaints: list[str] = []
    async with serving(picture) as url, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        context = await browser.new_context(
            viewport={"width": picture.width, "height": picture.height},
            color_scheme="dark" if picture.is_dark else "light",
        )
        page = await context.new_page()
        page.on("console", lambda message: _note(message, complaints))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(f"{url}{picture.hash}")
        await _act(page, picture)
        await page.screenshot(path=picture.out)
        wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wide > 0:
            complaints.append(f"the page is {wide} px wider than the window")
        await browser.close()
    return complaints


async def _act(page: Page, picture: Picture) -> None:
    await page.wait_for_selector(READY)
    for selector in picture.see:
        await page.wait_for_selector(selector)
    for name in picture.click:
        await page.get_by_role("button", name=name).first.click()
    for key in picture.press:
        await page.keyboard.press(key)
    await page.evaluate("new Promise((done) => setTimeout(done, 300))")


def _note(message: ConsoleMessage, complaints: list[str]) -> None:
    if message.type in ("error", "warning"):
        complaints.append(message.text)
