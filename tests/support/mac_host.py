"""The MacHost of an agent, over any `anka`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import nullcontext

from anka_agent.anka.cli import AnkaCli, InstalledVersion, License, ListedUsbDevice
from anka_agent.mac.facts import MacFacts
from anka_agent.mac.inventory import Inventory
from anka_agent.mac.mac_host import MacHost
from anka_agent.mac.pulls import TemplatePuller
from anka_agent.mac.start_backoff import StartBackoff
from anka_agent.mac.tag_journal import TagJournal
from anka_agent.mac.templates import TemplateCache
from anka_runtime.clock import Clock, SystemClock

VERSION = InstalledVersion("Anka", "3.8.1", "203")
LICENSE = License("com.veertu.anka.entplus", "valid", "Anka", "01-jan-2100")


def make_mac_host(
    anka: AnkaCli,
    *,
    prefix: str = "mgmtManaged-",
    owners: Mapping[str, str] | None = None,
    clock: Clock | None = None,
    report_due: asyncio.Event | None = None,
    version: InstalledVersion | None = None,
    usb: list[ListedUsbDevice] | None = None,
) -> MacHost:
    """Without limits on disk space; nothing is read from `anka` before it is asked for."""
    clock, due = clock or SystemClock(), report_due or asyncio.Event()
    inventory = Inventory(anka, prefix, owners)
    templates = TemplateCache(anka, inventory, TagJournal(), clock=clock, report_due=due)
    facts = MacFacts(anka, version or VERSION, LICENSE, usb or [], clock=clock, report_due=due)
    puller = TemplatePuller(anka, templates, lambda *_: nullcontext())
    return MacHost(
        anka,
        inventory,
        templates,
        puller,
        facts,
        asyncio.Semaphore(2),
        StartBackoff(templates, clock, due, lambda: 0.5),
    )
