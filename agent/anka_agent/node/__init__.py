"""This Mac as an AnkaNode: its registration, what is known of it, and what it reports."""
