"""Joining a cloud, being in it, leaving it."""
