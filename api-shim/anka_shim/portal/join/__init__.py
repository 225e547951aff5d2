"""/portal/v1/join: what to type on a new Mac."""
