"""Client of the Anka registry's HTTP API: operator and shim share it."""
