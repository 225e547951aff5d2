"""Errors of the registry."""


class RegistryError(Exception):
    """The registry refused, failed or could not be reached; str() is one clear line."""


class RegistryUnreachable(RegistryError):
    """The registry did not answer, or not as a registry may: nothing is known of what was asked."""


class RegistryUnauthorized(RegistryError):
    """HTTP 401 or 403, `code`: the registry wants another credential, or one with more rights. Nothing is known of what
    was asked."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


class RegistryRefused(RegistryError):
    """The registry answered FAIL: no such template, no such tag, … `message` is its own text."""

    def __init__(self, action: str, message: str) -> None:
        super().__init__(f"registry: {action}: {message}")
        self.message = message
