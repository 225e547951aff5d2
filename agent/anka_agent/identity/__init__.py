"""The identity of this Mac in the API: its ServiceAccount and its tokens."""
