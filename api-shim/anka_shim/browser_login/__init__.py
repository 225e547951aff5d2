"""/oidc/v1: people log in with a browser."""
