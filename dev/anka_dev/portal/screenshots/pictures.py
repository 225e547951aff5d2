"""Which pictures there are, and what has to be in each before it is taken."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from anka_dev.portal.look import Picture
from anka_dev.portal.screenshots.scenario import (
    FAILING_MAC,
    FAILURES,
    GENERAL_MACS,
    IOS_MACS,
    LONGEST_WAITING,
    PULLING_MAC,
    SHOWN_INSTANCE,
)

MACS = len(IOS_MACS) + len(GENERAL_MACS)
_FLEET = (
    f".mac >> nth={MACS - 1}",
    f".mac[data-id='{FAILING_MAC}'] [data-failures='{FAILURES}']",
    f".mac[data-id='{PULLING_MAC}'] .mac-pull",
    "[data-live='live']",
)


def list_pictures(folder: Path, url: str, *, shown: str, waiting: str) -> list[Picture]:
    """`shown`, `waiting`: ids of SHOWN_INSTANCE and LONGEST_WAITING. `url`: of the portal."""

    def picture(name: str, hash_: str, see: tuple[str, ...], *, height: int = 900, is_dark: bool = False) -> Picture:
        return Picture(hash_, folder / f"{name}.png", height=height, is_dark=is_dark, url=url, see=see)

    instance = f"#/instances/{quote(shown)}"
    timeline = (f"main >> text={SHOWN_INSTANCE} >> nth=0", ".timeline")
    return [
        picture("fleet", "#/fleet", _FLEET),
        picture("fleet-dark", "#/fleet", _FLEET, is_dark=True),
        picture(
            "queue", f"#/queue?open={quote(waiting)}", (f"main .drawer >> text={LONGEST_WAITING}", "[data-never='1']")
        ),
        picture("failures", "#/fleet?sort=failures", _FLEET),
        picture("node", f"#/nodes/{FAILING_MAC}", ("main >> text=the disk of the VM cannot be opened >> nth=0",)),
        picture("matrix", "#/matrix", (f"main >> text={PULLING_MAC} >> nth=0",)),
        picture("instance", instance, timeline),
        picture("instance-dark", instance, timeline, is_dark=True),
    ]
