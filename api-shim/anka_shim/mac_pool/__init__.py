"""/api/v1/macaddr."""
