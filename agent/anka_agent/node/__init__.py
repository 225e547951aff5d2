"""This Mac as an AnkaNode: joining, heartbeat, and what it reports about itself."""
