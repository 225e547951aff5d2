"""The legacy REST API of the Anka controller, served from custom resources."""
