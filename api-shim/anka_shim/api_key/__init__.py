"""/api/v1/apikey."""
