"""HTTP, as every endpoint needs it: the envelope, reading bodies, request ids, access log and metrics."""
