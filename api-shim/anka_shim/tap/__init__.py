"""/tap/v1: the handshake by which machines log in with an API key."""
