"""A template comes to this Mac, or goes: what the agent knows and reports of it follows at once."""

from __future__ import annotations

from anka_agent.instances.context import Context
from anka_agent.instances.pulls import OnPercent


async def fetch(context: Context, template: str, tag: str | None, registry: str | None, on_percent: OnPercent) -> bool:
    """Pull it, sharing a pull that is under way. False: it was pulled, but anka does not list it. Raises AnkaError."""
    await context.templates.pull(template, tag, registry, on_percent)
    await look_again(context)
    return context.templates.holds(template, tag)


async def look_again(context: Context) -> None:
    """Read from the Mac what it holds now. Raises AnkaError."""
    await context.inventory.look()
    await context.templates.refresh(context.inventory.templates(), force=True)
    context.templates_changed()
