"""/api/v1/registry/vm/distribute and /remove."""
