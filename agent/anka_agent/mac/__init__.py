"""The Mac as the agent sees it: its facts, VMs, templates, and disk space."""
