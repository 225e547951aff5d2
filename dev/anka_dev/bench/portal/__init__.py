"""What the portal costs the shim."""
