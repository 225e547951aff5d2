"""A simulated Anka registry: the vendor's HTTP API over templates in a directory."""
