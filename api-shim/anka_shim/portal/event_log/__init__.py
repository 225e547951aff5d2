"""/portal/v1/events: the event log, the newest first."""
