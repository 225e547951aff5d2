"""The error that the development tools show to people."""


class DevError(Exception):
    """A failure that its reader can act on: one clear line, shown without a traceback."""
