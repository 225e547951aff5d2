"""A Mac with a tiny `anka` that holds tags of one template, `t`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

from anka_agent.anka.cli import AnkaCli
from anka_agent.anka.command import Anka
from anka_agent.distributions.worker import JobTracker
from anka_agent.node.view import NodeView
from anka_crds.api import AnkaInstance, AnkaNode
from anka_crds.api.node import RequiredTemplate
from anka_crds.resources import INSTANCES, NODES
from anka_kube.store import Store
from support.fake_anka import FakeAnka
from support.mac_host import make_mac_host
from support.objects import node

_BODY = """
home = os.path.dirname(os.path.abspath(sys.argv[0]))
path = os.path.join(home, 'held')
held = json.load(open(path))
words = argv[1:]
def fail(message, code=1):
    print(json.dumps({'status': 'ERROR', 'code': code, 'message': message}), end='')
    sys.exit(code)
def keep(tags):
    with open(path + '.new', 'w') as file:
        json.dump(tags, file)
    os.replace(path + '.new', path)
def named():
    return words[words.index('--tag') + 1] if '--tag' in words else None
if words[0] == 'list':
    say([{'uuid': 't', 'name': 'macos', 'status': STATUS, 'version': held[-1]}] if held else [])
elif words[0] == 'show' and not held:
    fail('t: not found', 3)
elif words[0] == 'show':
    row = {'uuid': 't', 'name': 'macos', 'status': STATUS, 'version': held[-1]}
    say([{'tag': tag} for tag in held] if words[-1] == 'tag' else row)
elif 'pull' in words:
    PULL
    keep([*held, named() or 'latest'])
    say({})
elif words[0] == 'delete':
    DELETE
    keep([tag for tag in held if named() not in (None, tag)])
    say({})
"""


class TemplateMac:
    """`host` and what goes with it, for work with templates; the report is due whenever `report_due` is set."""

    def __init__(self, fake: FakeAnka) -> None:
        self.fake = fake
        self.report_due = CountingEvent()
        self.held()
        self.manners()
        self.instances: Store[AnkaInstance] = Store(INSTANCES)
        self.nodes: Store[AnkaNode] = Store(NODES)
        self.nodes.apply_written(node("mac-1"))
        self.view = NodeView(self.nodes, node("mac-1"), lambda: None)
        self.board = JobTracker(self.report_due)
        self.host = make_mac_host(AnkaCli(Anka(str(fake.path))), prefix="vm-")

    @property
    def told(self) -> int:
        """How often there was something new to report of the jobs."""
        return self.report_due.times

    def held(self, *tags: str) -> None:
        (self.fake.directory / "held").write_text(json.dumps(tags))

    def manners(self, *, pull: str = "pass", delete: str = "pass", status: str = "stopped") -> None:
        """What pulls and deletions do first, in Python."""
        body = _BODY.replace("PULL", pull).replace("DELETE", delete).replace("STATUS", repr(status))
        self.fake.body(body)

    def keep(self, *kept: RequiredTemplate) -> None:
        """What rules keep on this Mac."""
        rules = [one.to_api() for one in kept]
        self.nodes.observe(node("mac-1", status={"keptTemplates": rules}, meta={"version": 2}))

    async def look(self) -> None:
        await self.host.inventory.observe()
        await self.host.templates.refresh(force=True)

    def tags(self) -> list[str]:
        """On the disk."""
        return [str(tag) for tag in json.loads((self.fake.directory / "held").read_text())]

    def calls(self, word: str) -> list[list[str]]:
        return [call[1:] for call in self.fake.calls if word in call]


class CountingEvent(asyncio.Event):
    """An event that counts how often it was set."""

    def __init__(self) -> None:
        super().__init__()
        self.times = 0

    def set(self) -> None:
        self.times += 1
        super().set()


async def until(true: Callable[[], object]) -> None:
    """Wait for what another process does, or a task of which nothing tells."""
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
