"""/api/v1/stats."""
