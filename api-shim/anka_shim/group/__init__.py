"""/api/v1/group and /api/v1/node/group."""
