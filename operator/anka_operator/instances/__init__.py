"""AnkaInstance: status before it has a node and after it lost it, lifetimes, cleanup."""
