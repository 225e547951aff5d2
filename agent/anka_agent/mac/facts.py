"""What anka says about itself and the Mac: version, licence, USB devices; and, if it cannot be used, what to do about
it."""

import asyncio
import logging
from dataclasses import KW_ONLY, dataclass, field

from anka_agent.anka.cli import AnkaCli, InstalledVersion, License, ListedUsbDevice
from anka_agent.anka.errors import AnkaError, MissingCommand
from anka_runtime.clock import Clock

log = logging.getLogger(__name__)

FACTS_SECONDS = 60.0
"""Time between two readings of licence, version and USB devices: they change only by hand."""
OLDEST_MAJOR = 2


class AnkaUnusable(Exception):
    """The user must fix something first; str() is one line that says what."""


async def require_version(anka: AnkaCli) -> InstalledVersion:
    """Raises AnkaUnusable."""
    try:
        found = await anka.version()
    except MissingCommand as error:
        raise AnkaUnusable(f"{error.message}: install Anka on this Mac, or say where it is with --anka PATH") from None
    except AnkaError as error:
        raise AnkaUnusable(f"{anka.executable} does not work: {error}; try `{anka.executable} version`") from None
    if not 0 < found.major < OLDEST_MAJOR:
        return found
    raise AnkaUnusable(f"Anka {found.version} is too old: install version {OLDEST_MAJOR} or newer")


async def read_license(anka: AnkaCli) -> License:
    """Raises AnkaUnusable only when anka does not answer: an invalid licence is a state that the node reports."""
    try:
        return await anka.license()
    except AnkaError as error:
        raise AnkaUnusable(f"the Anka licence cannot be read: {error}; try `{anka.executable} license show`") from None


def describe_license_problem(held: License) -> str | None:
    """One line for an invalid licence; None for a valid one."""
    if held.valid:
        return None
    return f"the Anka licence is {held.status or 'missing'}: no VM can start; see `anka license activate`"


@dataclass(eq=False)
class MacFacts:
    """As last read. `report_due` is set when a change must be reported at once."""

    _anka: AnkaCli
    version: InstalledVersion
    license: License
    usb: list[ListedUsbDevice]
    _: KW_ONLY
    clock: Clock
    report_due: asyncio.Event
    problem: str | None = field(default=None, init=False)
    """Why anka could not be asked the last time."""
    _usb_read: bool = field(default=True, init=False)

    def __post_init__(self) -> None:
        self._read_at = self.clock.monotonic()

    @property
    def usb_in_use(self) -> bool:
        return any(not device.available for device in self.usb)

    def expect_usb_change(self) -> None:
        """A VM has taken or left a device: another instance may be waiting for it."""
        self._usb_read = False
        self.report_due.set()

    async def refresh(self, *, force: bool = False) -> None:
        """Read again what may have changed; with `force`, everything. Raises AnkaError."""
        try:
            await self._refresh(force or self.problem is not None)
        except AnkaError as error:
            self.problem = str(error)
            raise
        self.problem = None

    async def _refresh(self, force: bool) -> None:
        now = self.clock.monotonic()
        if not force and now - self._read_at < FACTS_SECONDS:
            if self.usb_in_use or not self._usb_read:
                self._usb_read = True
                self.usb = await self._anka.usb()
            return
        self._read_at = now
        self._usb_read = True
        version, license_, usb = await self._anka.version(), await self._anka.license(), await self._anka.usb()
        if license_.valid != self.license.valid:
            log.warning("the Anka licence is now %s", license_.status)
        self.version, self.license, self.usb = version, license_, usb


async def read_facts(anka: AnkaCli, *, clock: Clock, report_due: asyncio.Event) -> MacFacts:
    """The first reading. Raises AnkaUnusable."""
    version = await require_version(anka)
    license_ = await read_license(anka)
    if problem := describe_license_problem(license_):
        log.error("%s", problem)
    try:
        usb = await anka.usb()
    except AnkaError as error:
        log.warning("USB devices cannot be listed: %s", error)
        usb = []
    return MacFacts(anka, version, license_, usb, clock=clock, report_due=report_due)
