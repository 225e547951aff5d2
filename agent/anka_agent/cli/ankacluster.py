"""Translates the flags of `ankacluster join` (docs/reference/legacy-api.md#ankacluster) into the agent's. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

SAME = {
    "-c": "--ca-cert",
    "--cacert": "--ca-cert",
    "-r": "--ca-cert",
    "--root-cert": "--ca-cert",
    "-G": "--groups",
    "-H": "--host",
    "-m": "--max-vm-count",
    "-M": "--capacity-mode",
    "-n": "--name",
    "-R": "--ram-override",
    "-V": "--vcpu-override",
    "--node-id": "--node-name",
    "--no-central-logging": "--disable-central-logging",
    "--skip-tls-verification": "--insecure-skip-tls-verify",
}
"""Flags that have another name here."""

_TOKEN = "a Mac joins with a token here: give --token, or ANKA_TOKEN in the environment"  # noqa: S105
INSTEAD = {
    **dict.fromkeys(("--api-key-file", "--api-key-id", "--api-key-string"), _TOKEN),
    **dict.fromkeys(("-C", "--cert", "-K", "--cert-key", "-k", "--keystore", "-p", "--keystore-pass"), _TOKEN),
    "--verbosity": "give --log-level DEBUG, INFO, WARNING or ERROR",
}
"""Flags that cannot be dropped silently: the process ends and says what to do."""

_TIMES = "the agent has limits of its own"
_HTTP = "the agent keeps one connection to the Kubernetes API, and has metrics of it"
UNNEEDED = {
    "-f": "no sudo is needed",
    "--force-no-sudo": "no sudo is needed",
    "-g": "with sudo it is a service of the system",
    "--global": "with sudo it is a service of the system",
    "-t": "https:// in the URL says so",
    "--tls": "https:// in the URL says so",
    "--skip-tests": "`anka-agent doctor` tests",
    "--ignore-arm-vm-limit": "--max-vm-count alone counts",
    "--force-overrides-in-resource-mode": "what an instance asks for always counts",
    "--dump-network-meter": _HTTP,
}
"""Flags without a value that have no effect here."""
UNNEEDED_VALUES = {
    **dict.fromkeys(("--cli-start-timeout", "--dial-timeout", "--request-timeout", "--tls-handshake-timeout"), _TIMES),
    **dict.fromkeys(("--max-idle-connections-per-host", "--num-http-sample-threshold"), _HTTP),
    "--dump-network-meter-file-name": _HTTP,
    "--optimization-threshold": "room is made before a pull that would not fit",
    "--skip-pull-error": "a pull that has nothing to download is none",
}
"""The same with a value, which is dropped as well."""


@dataclass(frozen=True)
class Translation:
    """`argv`: the translated command line. `left_out`: what was dropped from it, and why. `refused`: flags whose
    meaning would be lost, and what to do instead; then the command must not run."""

    argv: list[str]
    left_out: list[str]
    refused: list[str]


def translate(argv: Sequence[str]) -> Translation:
    found = Translation([], [], [])
    words = iter(argv)
    for word in words:
        flag, is_, value = word.partition("=")
        if flag in INSTEAD:
            found.refused.append(f"{flag}: {INSTEAD[flag]}")
        elif flag in UNNEEDED or flag in UNNEEDED_VALUES:
            found.left_out.append(f"{flag} is left out: {UNNEEDED.get(flag) or UNNEEDED_VALUES[flag]}")
            if flag in UNNEEDED_VALUES and not is_:
                next(words, None)
        else:
            found.argv.append(f"{SAME.get(flag, flag)}{is_}{value}")
    return found
