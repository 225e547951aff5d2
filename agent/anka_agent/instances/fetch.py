"""A template comes to this Mac, or goes: what the agent knows and reports of it follows at once."""

from __future__ import annotations

from anka_agent.instances.context import Context
from anka_agent.instances.pulls import OnPercent


async def fetch(context: Context, template: str, tag: str | None, registry: str | None, on_percent: OnPercent) -> bool:
    """Pull it, sharing a pull that is under way. False: it was pulled, but anka does not list it. Raises AnkaError."""
    await context.templates.pull(template, tag, registry, on_percent)
    await look_again(context)
    await used(context, template, tag)
    return context.templates.holds(template, tag)


async def look_again(context: Context) -> None:
    """Read from the Mac what it holds now. Raises AnkaError."""
    await context.inventory.look()
    await context.templates.refresh(context.inventory.templates(), force=True)
    held = [(vm.uuid, tag.tag) for vm, tags in context.templates.held.values() for tag in tags]
    await context.last_use.keep(held)
    context.templates_changed()


async def used(context: Context, template: str, tag: str | None) -> None:
    """Note that it came here, or that a VM was made from it: what was not used for long goes first."""
    vm, _ = context.templates.held.get(template, (None, ()))
    await context.last_use.used(template, tag or (vm.version if vm is not None else None), context.clock.now())
