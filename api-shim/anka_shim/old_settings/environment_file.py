"""Reads what an old controller is configured by: a docker-compose file, KEY=VALUE lines, or its INI file. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

PREFIX = "ANKA_"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,99}")
_PLACEHOLDER = re.compile(r"\$\{?[A-Za-z_]")


class UnreadableEnvironment(Exception):
    """The file cannot be read; str() is one line that says where and why."""


@dataclass(frozen=True)
class EnvironmentFile:
    """`settings`: text by the name of the environment variable. `remarks`: what was not read, and why."""

    settings: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def parse(text: str, service: str | None = None) -> EnvironmentFile:
    """`service`: the one to read of a compose file; without it the one that is called after the controller, or the
    only one that has settings. Raises UnreadableEnvironment."""
    services = _find_services(text)
    if services is not None:
        return _read_compose(services, service)
    if service is not None:
        raise UnreadableEnvironment("--service is for docker-compose files: this one has no services")
    found = EnvironmentFile()
    for number, line in enumerate(text.splitlines(), 1):
        _read_line(line, f"line {number}", found)
    return found


# --- lines ---


def _read_line(line: str, where: str, found: EnvironmentFile) -> None:
    line = line.strip()
    if not line or line[0] in "#;" or (line[0] == "[" and line[-1] == "]"):
        return
    name, is_, value = line.removeprefix("export ").partition("=")
    if not is_:
        raise UnreadableEnvironment(f"{where}: must be NAME=VALUE")
    _add(name.strip(), _unquote(value.strip(), where), where, found)


def _unquote(text: str, where: str) -> str:
    """Without its quotes, or a comment behind it."""
    if text[:1] in ("'", '"'):
        end = text.find(text[0], 1)
        rest = text[end + 1 :].strip()
        if end < 0 or (rest and not rest.startswith("#")):
            raise UnreadableEnvironment(f"{where}: a quote is not closed, or something follows it")
        return text[1:end]
    return re.split(r"\s#", text, maxsplit=1)[0].rstrip()


def _add(name: str, value: str, where: str, found: EnvironmentFile) -> None:
    """In INI files, a setting has the name of its flag: `enable-auth`, `enable_auth`."""
    if not _NAME.fullmatch(name):
        raise UnreadableEnvironment(f"{where}: the name of a setting has letters, digits and _ only")
    key = name.upper().replace("-", "_")
    key = key if key.startswith(PREFIX) else PREFIX + key
    if _PLACEHOLDER.search(value):
        found.remarks.append(f"{key}: its value refers to a variable, which is not known here: put the value in")
        return
    found.settings[key] = value


# --- docker-compose ---


def _find_services(text: str) -> Mapping[str, Any] | None:
    """None if this is no compose file."""
    if not re.search(r"^services\s*:", text, re.MULTILINE):
        return None
    try:
        # Every scalar is text: `1:30` would otherwise be a number, and `on` a truth.
        document = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506
    except (yaml.YAMLError, RecursionError) as error:
        # Where, without what stands there: it may be a secret.
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        raise UnreadableEnvironment(f"{where}this is not YAML") from None
    services = document.get("services") if isinstance(document, dict) else None
    if not isinstance(services, dict):
        raise UnreadableEnvironment("services: must have the services of docker-compose")
    return {str(name): part for name, part in services.items() if isinstance(part, dict)}


def _read_compose(services: Mapping[str, Any], service: str | None) -> EnvironmentFile:
    name = _choose(services, service)
    found = EnvironmentFile()
    part = services[name]
    environment = part.get("environment") or []
    for key, value in _entries(environment, name):
        if value is None:
            found.remarks.append(f"{key}: takes its value from the shell that starts docker-compose: put the value in")
        else:
            _add(key, value, f"services.{name}.environment", found)
    if part.get("env_file"):
        found.remarks.append(f"services.{name}.env_file: is a file of its own: translate that one as well")
    if part.get("command") or part.get("entrypoint"):
        found.remarks.append(f"services.{name}: its command is not read: flags in it count as well")
    return found


def _choose(services: Mapping[str, Any], service: str | None) -> str:
    if service is not None:
        if service not in services:
            raise UnreadableEnvironment(f"there is no service {service}: {', '.join(services)}")
        return service
    controllers = [name for name in services if "controller" in name.lower()]
    with_settings = [name for name, part in services.items() if part.get("environment") or part.get("env_file")]
    for names in (controllers, with_settings):
        if len(names) == 1:
            return names[0]
    raise UnreadableEnvironment(f"which service is the controller? Give --service: {', '.join(services)}")


def _entries(environment: object, name: str) -> Iterator[tuple[str, str | None]]:
    """Of a mapping, or of a list of NAME=VALUE. None for a name without a value."""
    if isinstance(environment, dict):
        for key, value in environment.items():
            if not isinstance(value, str):
                raise UnreadableEnvironment(f"services.{name}.environment.{key}: must be a text")
            yield str(key), value or None
    elif isinstance(environment, list) and all(isinstance(entry, str) for entry in environment):
        for entry in environment:
            key, is_, value = entry.partition("=")
            yield key.strip(), value if is_ else None
    else:
        raise UnreadableEnvironment(f"services.{name}.environment: must be a mapping or a list of NAME=VALUE")
