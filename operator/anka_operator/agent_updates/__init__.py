"""Updates of the agent, a few Macs at a time."""
