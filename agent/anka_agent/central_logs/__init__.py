"""The agent's log and those of its instances, on their way to the registry."""
