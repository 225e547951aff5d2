"""What the watches of many Macs cost the apiserver: filtered ones, and named ones with a hint for each bind."""
