"""What goes wrong with the registry."""


class RegistryError(Exception):
    """The registry refused, failed or could not be reached; str() is one clear line."""


class RegistryRefused(RegistryError):
    """It answered FAIL: no such template, no such tag, …; `message` is its own text."""

    def __init__(self, action: str, message: str) -> None:
        super().__init__(f"registry: {action}: {message}")
        self.message = message
