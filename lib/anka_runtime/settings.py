"""Settings of a process: a pydantic-settings model, read from flags and environment. Each error is one line."""

import inspect
import json
import re
import sys
from pathlib import Path
from typing import Any, Literal, NoReturn, Self, TypeVar, cast

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, CliApp, InitSettingsSource, SettingsConfigDict, SettingsError

from anka_runtime.addresses import is_http_url
from anka_runtime.files import read_text
from anka_runtime.logs import LogFormat
from anka_runtime.rsa_key import parse_rsa_key
from anka_runtime.secret_file import SHORTEST_TOKEN, read_secret
from anka_runtime.tls_files import make_context

USAGE = 2
"""Exit code for bad input, as in argparse."""

_CREDENTIALS = re.compile(r"://[^/@\s]*@")
"""User and password in a URL."""

S = TypeVar("S", bound=BaseSettings)


class ProcessSettings(BaseSettings):
    """Base of the three settings models. Flags are kebab-case; the environment is ANKA_<FIELD>."""

    model_config = SettingsConfigDict(
        env_prefix="ANKA_",
        extra="ignore",
        cli_kebab_case=True,
        cli_hide_none_type=True,
        cli_avoid_json=True,
        cli_implicit_flags=True,
        cli_exit_on_error=False,
        nested_model_default_partial_update=True,
    )

    kubeconfig: Path | None = Field(
        default=None, description="Kubeconfig of the cluster; else KUBECONFIG, else the pod's service account."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="Least level logged.")
    log_format: LogFormat = Field(default="json", description="One JSON object a line, or text.")

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, level: object) -> object:
        return level.upper() if isinstance(level, str) else level


class RegistrySettings(ProcessSettings):
    """Settings of a process that uses the registry."""

    registry_url: str | None = Field(
        default=None,
        description="URL of the Anka registry as the Macs reach it, such as http://registry:8089. Clients see it too.",
    )
    registry_ca_file: Path | None = Field(
        default=None,
        description="Certificates (PEM) of the authorities that are trusted for an https registry, instead of the "
        "system's. This file and the following ones are read again when they change.",
    )
    registry_cert_file: Path | None = Field(
        default=None, description="Client certificate (PEM) for an https registry, with the authorities between."
    )
    registry_key_file: Path | None = Field(
        default=None, description="Private key of that certificate (PEM), unless it is in the same file."
    )
    registry_api_key_id: str | None = Field(
        default=None, max_length=256, description="Id of the registry's API key by which this process logs in."
    )
    registry_api_key_file: Path | None = Field(
        default=None,
        validate_default=True,
        description="Private key (PEM) of that API key.",
    )

    @field_validator("registry_url", "registry_internal_url", check_fields=False)
    @classmethod
    def _is_url(cls, url: str | None) -> str | None:
        if url and not is_http_url(url):
            raise ValueError("must begin with http:// or https://, and name a host")
        return url.rstrip("/") if url else None

    @field_validator("registry_ca_file")
    @classmethod
    def _are_authorities(cls, file: Path | None, info: ValidationInfo) -> Path | None:
        if file is not None:
            _require_registry(info)
            make_context(file, None, None)
        return file

    @field_validator("registry_key_file")
    @classmethod
    def _is_beside_a_certificate(cls, file: Path | None, info: ValidationInfo) -> Path | None:
        if file is not None and not info.data.get("registry_cert_file"):
            raise ValueError("needs --registry-cert-file too")
        return file

    @field_validator("registry_api_key_file")
    @classmethod
    def _is_key_of_an_id(cls, file: Path | None, info: ValidationInfo) -> Path | None:
        id_ = info.data.get("registry_api_key_id")
        if file is None:
            if id_:
                raise ValueError("is needed with --registry-api-key-id")
            return None
        if not id_:
            raise ValueError("needs --registry-api-key-id too")
        _require_registry(info)
        try:
            parse_rsa_key(read_secret(file, 1))
        except ValueError as error:
            raise ValueError(str(error)) from None
        return file

    @model_validator(mode="after")
    def _certificate_can_be_used(self) -> Self:
        if self.registry_cert_file is not None:
            make_context(None, self.registry_cert_file, self.registry_key_file)
        url = self.registry_read_url
        if (self.registry_cert_file or self.registry_ca_file) and not (url or "").startswith("https://"):
            raise ValueError("registry-ca-file, registry-cert-file: need a registry whose URL begins with https://")
        return self

    @property
    def registry_read_url(self) -> str | None:
        """URL at which this process itself reads the registry."""
        return self.registry_url


def _require_registry(info: ValidationInfo) -> None:
    if not info.data.get("registry_url"):
        raise ValueError("needs --registry-url too: it is used there only")


class ClusterRegistrySettings(RegistrySettings):
    """The same for a process in the cluster, where the registry's URL may differ from the one that Macs use."""

    registry_internal_url: str | None = Field(
        default=None,
        description="URL by which this process reads the registry, where it is not --registry-url. The old "
        "controller's ANKA_LOCAL_ANKA_REGISTRY.",
    )

    registry_root_token_file: Path | None = Field(
        default=None,
        description="File with the registry's root token, as which this process then logs in. Macs cannot use it.",
    )
    disable_central_logging: bool = Field(
        default=False, description="Send no log to the registry: it is on standard error only."
    )

    @property
    def registry_read_url(self) -> str | None:
        """URL at which this process itself reads the registry."""
        return self.registry_internal_url or self.registry_url

    @field_validator("registry_root_token_file")
    @classmethod
    def _is_the_only_credential(cls, file: Path | None, info: ValidationInfo) -> Path | None:
        if file is None:
            return None
        if info.data.get("registry_api_key_id"):
            raise ValueError("one of --registry-root-token-file and --registry-api-key-id only")
        _require_registry(info)
        read_secret(file, SHORTEST_TOKEN)
        return file

    @property
    def log_url(self) -> str | None:
        """The registry that collects the log of this process."""
        return None if self.disable_central_logging else self.registry_read_url

    @field_validator("registry_internal_url")
    @classmethod
    def _is_beside_another(cls, url: str | None, info: ValidationInfo) -> str | None:
        if url and not info.data.get("registry_url"):
            raise ValueError("needs --registry-url too, by which the Macs pull")
        return url


def load(model: type[S], prog: str, argv: list[str] | None = None, *, file: Path | None = None, epilog: str = "") -> S:
    """Settings from `argv`, the environment and, if it exists, the JSON `file`, in this order.

    `epilog` follows the model's docstring in the help. Ends the process with one clear line for each wrong value."""
    # --help begins with the docstring, which a subclass does not inherit.
    description = "\n\n".join(filter(None, (inspect.getdoc(model), epilog)))
    body: dict[str, Any] = {"model_config": SettingsConfigDict(cli_prog_name=prog), "__doc__": description}
    if file is not None:
        defaults = _read(prog, file)
        body["settings_customise_sources"] = classmethod(
            lambda cls, model, init_settings, env_settings, **_: (
                init_settings,
                env_settings,
                InitSettingsSource(model, defaults),
            )
        )
    named = type(model.__name__, (model,), body)
    try:
        loaded: S = CliApp.run(named, cli_args=sys.argv[1:] if argv is None else argv)
        # An instance of the model itself, already validated: other code finds settings by their class.
        values: dict[str, Any] = {name: getattr(loaded, name) for name in model.model_fields}
        return cast(S, model.model_construct(loaded.model_fields_set, **values))
    except ValidationError as error:
        lines = [_line(item["loc"], item["msg"], item.get("input")) for item in error.errors()]
    except SettingsError as error:
        lines = [f"{str(error).removeprefix('error parsing CLI: ')}; see --help"]
    return fail(prog, *lines)


def _read(prog: str, file: Path) -> dict[str, Any]:
    try:
        values = json.loads(read_text(file))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        fail(prog, f"{file} cannot be read: {' '.join(str(error).split())}")
    if not isinstance(values, dict):
        fail(prog, f"{file} is not a JSON object of settings")
    return values


def fail(prog: str, *lines: str, code: int = USAGE) -> NoReturn:
    """End the process with these lines on stderr, without a traceback."""
    for line in lines:
        print(f"{prog}: {line}", file=sys.stderr)
    raise SystemExit(code)


def _line(loc: tuple[int | str, ...], message: str, value: object) -> str:
    flag = "--" + str(loc[0]).replace("_", "-") if loc else "settings"
    message = message.removeprefix("Value error, ")
    if message == "Field required":
        return f"{flag} is needed (or environment ANKA_{str(loc[0]).upper()}): see --help"
    given = _CREDENTIALS.sub("://[hidden]@", repr(value))
    return f"{flag}: {message} (given: {given})"
