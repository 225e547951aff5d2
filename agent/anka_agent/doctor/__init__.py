"""Checks of what the agent needs, with the remedy for each problem."""
