"""Joining a build cloud, leaving it, and the state in between."""
