"""core/v1 Events for people."""
