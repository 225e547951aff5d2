"""/api/v1/registry/vm, /revert and /disk."""
