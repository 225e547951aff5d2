"""Templates that are pulled to this Mac, kept on it or removed from it without an instance needing them."""
