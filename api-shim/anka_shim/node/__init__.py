"""/api/v1/node and /api/v1/node/config."""
