"""The `anka` command, typed: one subprocess for each call, nothing else knows how it is spelled."""
