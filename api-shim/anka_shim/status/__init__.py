"""/api/v1/status."""
