"""The `anka` command, typed: one subprocess per call. No other module knows its syntax."""
