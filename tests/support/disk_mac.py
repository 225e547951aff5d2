"""A Mac whose `anka` is a dictionary: templates with sizes, a registry, and a disk that can be full."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from anka_agent.anka.cli import AnkaCli
from anka_agent.anka.command import Anka, OnLine
from anka_agent.anka.errors import AnkaError, NotFoundError
from anka_agent.mac.inventory import Inventory
from anka_agent.mac.pull_admission import PullAdmission
from anka_agent.mac.pulls import TemplatePuller
from anka_agent.mac.tag_journal import TagJournal
from anka_agent.mac.templates import TemplateCache
from anka_agent.plan.eviction import Need
from anka_crds.api.conditions import EventReason
from anka_runtime.clock import SystemClock

START = datetime(2026, 1, 1, tzinfo=UTC)
Tag = tuple[str, str]


class DiskAnka(Anka):
    """`sizes`: of what the registry has, in bytes. A pull takes its space at its end, after `go` is set."""

    def __init__(self, disk: int, sizes: Mapping[Tag, int]) -> None:
        super().__init__("anka")
        self.disk = disk
        self.sizes = dict(sizes)
        self.held: dict[Tag, int] = {}
        self.running: set[str] = set()
        self.errors: dict[str, AnkaError] = {}
        """By a word of the command line."""
        self.calls: list[str] = []
        self.go = asyncio.Event()
        self.go.set()
        self.stubborn = False
        """Whether deleting frees nothing."""

    @property
    def free(self) -> int:
        return self.disk - sum(self.held.values())

    async def call(
        self,
        *args: str,
        seconds: float,
        on_line: OnLine | None = None,
        env: Mapping[str, str] | None = None,
        exclusive: bool = True,
    ) -> Any:
        words = [word for word in args if word not in ("registry", "--yes")]
        self.calls.append(" ".join(words))
        for word, error in self.errors.items():
            if word in words:
                raise error
        tag = words[words.index("--tag") + 1] if "--tag" in words else ""
        return await self._do(words, words[-1], tag)

    async def _do(self, words: list[str], template: str, tag: str) -> Any:
        if words[0] == "list":
            return [self._row(uuid) for uuid in dict(self.held)]
        if words[0] == "show":
            if words[-1] != "tag":
                return self._row((template, ""))
            return [{"tag": one, "size": size} for (uuid, one), size in self.held.items() if uuid == words[1]]
        if words[0] == "describe":
            tags = [one for uuid, one in self.sizes if uuid == template]
            if not tags:
                raise NotFoundError("not found", 3)
            return {"versions": [{"tag": one} for one in tags]}
        if words[0] == "delete":
            for key in [key for key in self.held if key[0] == template and tag in ("", key[1])]:
                if not self.stubborn:
                    del self.held[key]
            return {}
        if "--check-download-size" in words:
            size = self.sizes[template, tag]
            return {} if (template, tag) in self.held else {"size": size, "cached": 0, "available": self.free}
        await self.go.wait()
        self.held[template, tag] = self.sizes[template, tag]
        return {}

    def _row(self, key: Tag) -> dict[str, Any]:
        uuid = key[0]
        tags = [tag for template, tag in self.held if template == uuid]
        status = "running" if uuid in self.running else "stopped"
        return {"uuid": uuid, "name": f"name-{uuid}", "status": status, **({"version": tags[-1]} if tags else {})}


class DiskMac:
    def __init__(self, disk: int, sizes: Mapping[Tag, int], reserve: int = 0) -> None:
        self.anka = DiskAnka(disk, sizes)
        self.reserve = reserve
        self.needs: list[Need] = []
        self.events: list[tuple[str, str, str]] = []
        anka = AnkaCli(self.anka)
        self.inventory = Inventory(anka, "vm-")
        self.journal = TagJournal()
        self.templates = TemplateCache(
            anka, self.inventory, self.journal, clock=SystemClock(), report_due=asyncio.Event()
        )
        admission = PullAdmission(
            anka, self.inventory, self.templates, lambda: self.needs, lambda: self.reserve, self._record
        )
        self.puller = TemplatePuller(anka, self.templates, admission.admit)

    async def _record(self, kind: str, reason: EventReason, message: str) -> None:
        self.events.append((kind, reason.value, message))

    async def holds(self, *tags: Tag, size: int | None = None) -> None:
        """These are held, the first least recently used."""
        for tag in tags:
            moment = START + timedelta(days=len(self.anka.held))
            self.anka.held[tag] = self.anka.sizes[tag] if size is None else size
            await self.journal.record_use(*tag, moment)
        await self.inventory.observe()
        await self.templates.refresh(force=True)

    async def pull(self, template: str, tag: str = "v1") -> None:
        await self.puller.fetch(template, tag, None, lambda percent: None)

    @property
    def deleted(self) -> list[str]:
        return [call for call in self.anka.calls if call.startswith("delete")]
