"""The Mac that steps work on."""

import asyncio
from dataclasses import dataclass

from anka_agent.anka.cli import AnkaCli
from anka_agent.mac.facts import MacFacts
from anka_agent.mac.inventory import Inventory
from anka_agent.mac.pulls import TemplatePuller
from anka_agent.mac.start_backoff import StartBackoff
from anka_agent.mac.templates import TemplateCache


@dataclass(frozen=True)
class MacHost:
    anka: AnkaCli
    inventory: Inventory
    templates: TemplateCache
    puller: TemplatePuller
    facts: MacFacts
    vm_slots: asyncio.Semaphore
    """Concurrent clones and starts."""
    starts: StartBackoff
