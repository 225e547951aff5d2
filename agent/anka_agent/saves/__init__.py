"""Saving instances to the registry: a part of each instance's worker, so that nobody else touches its VM meanwhile."""
