"""/portal/v1/object: one object as YAML, and its Events."""
