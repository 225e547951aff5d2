"""Updates of the agent itself: packages, the versions on this Mac, and the launcher that falls back."""
