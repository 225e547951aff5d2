"""/api/v1/vm and /api/v1/rpc/vm/restart."""
