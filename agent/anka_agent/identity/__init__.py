"""Who this Mac is towards the API: its ServiceAccount, its tokens."""
