"""An agent's Context over a tiny `anka` that holds tags of one template, `t`: for work with templates only."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, cast

from anka_agent.anka.command import Anka
from anka_agent.anka.operations import Operations
from anka_agent.instances.context import Context, NodeFacts
from anka_agent.instances.inventory import Inventory
from anka_agent.instances.pulls import Templates
from anka_crds.kube.kinds import INSTANCES
from anka_crds.kube.store import Store
from support.fake_anka import FakeAnka

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
    def __init__(self, fake: FakeAnka) -> None:
        self.fake = fake
        self.told = 0
        self.held()
        self.manners()
        anka = Operations(Anka(str(fake.path)))
        nobody = cast(Any, None)
        self.context = Context(
            nobody,
            Store(INSTANCES),
            nobody,
            anka,
            Inventory(anka, "vm-"),
            Templates(anka),
            nobody,
            lambda: NodeFacts("mac-1", "mac-1", None),
        )

    def held(self, *tags: str) -> None:
        (self.fake.directory / "held").write_text(json.dumps(tags))

    def manners(self, *, pull: str = "pass", delete: str = "pass", status: str = "stopped") -> None:
        """What pulls and deletions do first, in Python."""
        body = _BODY.replace("PULL", pull).replace("DELETE", delete).replace("STATUS", repr(status))
        self.fake.body(body)

    async def look(self) -> None:
        await self.context.inventory.look()
        await self.context.templates.refresh(self.context.inventory.templates(), force=True)

    def tags(self) -> list[str]:
        """On the disk."""
        return [str(tag) for tag in json.loads((self.fake.directory / "held").read_text())]

    def calls(self, word: str) -> list[list[str]]:
        return [call[1:] for call in self.fake.calls if word in call]

    def tell(self) -> None:
        self.told += 1


async def until(true: Callable[[], object]) -> None:
    """Wait for what another process does, or a task of which nothing tells."""
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
