"""The cluster as controllers use it: caches to read from, writers, and whether the caches are current."""
