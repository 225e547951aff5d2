"""/portal/v1/explain: which node an instance gets, or would get, and why no other."""
