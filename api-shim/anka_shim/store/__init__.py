"""Caches that answer all reads, and the writes that every resource shares."""
