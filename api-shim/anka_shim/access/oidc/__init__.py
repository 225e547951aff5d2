"""Logging in at an OpenID Connect provider: tokens are checked with its keys, and it is not asked for each request."""
