"""/api/v1/image."""
