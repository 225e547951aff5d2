"""Space on the Mac's disk for templates: how much a pull may take, and what goes to make room for it."""
