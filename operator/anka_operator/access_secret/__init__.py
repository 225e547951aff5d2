"""The Secret by which people first get into the REST API, where nobody has given one."""
