"""Who sends a request, and what they may do: the old controller's ways to log in."""
