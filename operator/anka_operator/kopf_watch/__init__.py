"""kopf as the source of events for the kinds that are few and change at a human pace."""
