"""The live lists: one WebSocket for each tab of a browser."""
