"""The log of a process, on its way to the registry."""
