"""What the agent needs, checked; and what to do about what is wrong."""
