"""NodeGroup: counts and conditions."""
