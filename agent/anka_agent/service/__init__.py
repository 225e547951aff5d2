"""The agent as a service of macOS."""
