"""AnkaTemplate: a mirror of the registry."""
