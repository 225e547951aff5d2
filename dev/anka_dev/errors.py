"""The error that the development tools show to people."""


class DevError(Exception):
    """Something a person can act on; its text is one clear line, shown without a traceback."""
