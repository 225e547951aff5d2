"""The command line of the shim."""
