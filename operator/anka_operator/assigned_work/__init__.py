"""Which rare kinds each Mac's agent has to watch."""
