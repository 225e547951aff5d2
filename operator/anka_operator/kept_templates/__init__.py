"""Which template tags each Mac must keep on its disk."""
