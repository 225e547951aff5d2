"""/api/v1/logs and /logs."""
