"""Templates that are brought to this Mac, kept on it or removed from it, without an instance that asks for them."""
