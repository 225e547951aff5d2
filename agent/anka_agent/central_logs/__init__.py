"""What of the agent's work may not show in the central logs."""
