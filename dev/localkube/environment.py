"""The process's variables, under the names that the tool around this package gives them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Environment:
    """``variables`` of the process. With ``prefix`` ACME the kubeconfig is named by ``ACME_KUBECONFIG``, and so on.

    ``cache_folder`` is the folder below ``~/.cache`` for what is downloaded and built, unless ``ACME_CACHE`` is set.
    """

    variables: Mapping[str, str]
    prefix: str
    cache_folder: str

    def name(self, setting: str) -> str:
        """The variable of a setting: CACHE, KUBECONFIG, HELM, ENVTEST_URL, KUBERNETES_URL."""
        return f"{self.prefix}_{setting}"

    def get(self, setting: str) -> str | None:
        """The value of a setting; None when it is not set. An empty value is a value."""
        return self.variables.get(self.name(setting))

    @property
    def path(self) -> str | None:
        """Where executables are searched."""
        return self.variables.get("PATH")

    @property
    def cache_root(self) -> Path:
        """The folder of everything that is cached."""
        if chosen := self.get("CACHE"):
            return Path(chosen).expanduser().absolute()
        return Path(self.variables.get("HOME") or Path.home()) / ".cache" / self.cache_folder
