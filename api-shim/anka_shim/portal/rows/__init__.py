"""Objects as rows of the lists. Pure."""
