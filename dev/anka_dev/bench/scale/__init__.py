"""A whole cloud at several sizes: what it costs at rest, what it answers, and how it comes back after a storm."""
