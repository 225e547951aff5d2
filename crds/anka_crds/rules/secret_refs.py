"""The Secrets that an AnkaInstance refers to."""

from anka_crds.api.instance import AnkaInstance

STORED_SCRIPT = "anka-script-"
"""Beginning of the names of Secrets that the API shim makes right after the instances that use them."""


def names_secret(instance: AnkaInstance) -> bool:
    """Whether it takes anything from a Secret; most instances do not."""
    return script_secret(instance) is not None or password_secret(instance) is not None


def script_secret(instance: AnkaInstance) -> str | None:
    """Name of the Secret that holds the startup script."""
    script = instance.spec.startup_script
    return script.secret_ref.name if script is not None and script.secret_ref is not None else None


def password_secret(instance: AnkaInstance) -> str | None:
    """Name of the Secret that holds the VNC password."""
    reference = instance.spec.vnc_password_secret_ref
    return reference.name if reference is not None else None
