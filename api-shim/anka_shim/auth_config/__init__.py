"""/config/v1/auth."""
