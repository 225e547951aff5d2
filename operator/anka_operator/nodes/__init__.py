"""AnkaNode: heartbeats, state and conditions."""
