"""Which `anka` commands turn a fresh clone into the VM that a spec asks for. docs/start-options.md is the table."""

from __future__ import annotations

from anka_crds.api.instance import AnkaInstanceSpec
from anka_crds.api.vm_options import Hardware, Network, PortForward

ANKA_2 = 2
"""The last major version of Anka with the older dialect of `modify`."""
_OLD_WORDS = {
    "cpu": ("set", "cpu", "-c"),
    "ram": ("set", "ram"),
    "disk": ("set", "hard-drive"),
    "network": ("set", "network-card"),
    "display": ("set", "display"),
}
_HVAPIC = {"forceOn": "1", "forceOff": "0"}
_CSR = {"forceOn": "0"}
"""The vendor's guide: `sys.csr-active-config 0` turns System Integrity Protection on again."""

GROW_CONTAINER = """
found=$(diskutil info / | awk '/APFS (Container|Physical Store):/ {print $NF; exit}')
[ -n "$found" ] || { echo "no APFS container found for /" >&2; exit 1; }
said=$(sudo diskutil apfs resizeContainer "$found" 0 2>&1) && exit 0
case "$said" in *-69743*) exit 0 ;; esac
printf '%s\\n' "$said" >&2
exit 1
""".strip()
"""Runs in the VM. 0 means as large as the disk allows; -69743 says that the container is that large already."""


def modify_commands(spec: AnkaInstanceSpec, vm: str, *, anka: int = 3) -> list[list[str]]:
    """Arguments of `anka`, in order; nothing when the template is taken as it is. `vm` is its name or UUID, `anka` the
    major version of the command: 3 and later say `modify VM cpu 4`, 2 said `modify VM set cpu -c 4`.

    Spelled as the seed document and the vendor's command reference have it. Applying them twice gives the same VM.
    """
    commands: list[list[str]] = []

    def modify(*words: str) -> None:
        if anka == ANKA_2 and words[0] in _OLD_WORDS:
            words = (*_OLD_WORDS[words[0]], *words[1:])
        commands.append(["modify", vm, *words])

    if spec.resources is not None:
        if spec.resources.vcpu is not None:
            modify("cpu", str(spec.resources.vcpu))
        if spec.resources.memory_mib is not None:
            modify("ram", f"{spec.resources.memory_mib}M")
    if spec.disk is not None:
        modify("disk", "-s", spec.disk.size)
    if spec.network is not None:
        for words in _network(spec.network):
            modify(*words)
    if spec.port_forwarding is not None:
        # Only the given rules may be there (seed: "any pre-existing rules will be ignored").
        modify("delete", "port-forwarding", "--all")
        for rule in spec.port_forwarding:
            modify(*_port(rule))
    if spec.hardware is not None:
        for words in _hardware(spec.hardware):
            modify(*words)
    return commands


def rename_command(name: str, vm: str, *, anka: int = 3) -> list[str]:
    """No source shows how Anka 2 spells it; all that is set there begins with `set`."""
    return ["modify", vm, *(["set"] if anka == ANKA_2 else []), "name", name]


def changes_anything(spec: AnkaInstanceSpec) -> bool:
    return bool(modify_commands(spec, "vm"))


def grows_container(spec: AnkaInstanceSpec) -> bool:
    """Whether the APFS container in the VM follows the new size of its disk (seed, "Example for disk")."""
    return spec.disk is not None and not spec.disk.skip_container_resize


def wakes_suspended(spec: AnkaInstanceSpec) -> bool:
    """Whether a clone of a suspended template is stopped before it is changed, which loses its memory: the old agent
    did so for this option and no other (release notes of 1.30)."""
    return spec.network is not None and spec.network.local is not None


def _network(network: Network) -> list[list[str]]:
    commands = []
    if network.mode is not None:
        commands.append(["network", "-t", network.mode])
    if network.local is not None:
        commands.append(["network", "--local" if network.local == "forceOn" else "--no-local"])
    if network.vlan is not None:
        # The seed spells this command out, for every version: anka modify {clonedVMName} set network-card --vlan {ID}.
        commands.append(["set", "network-card", "--vlan", network.vlan])
    if network.mac_address is not None:
        commands.append(["network", "--mac", network.mac_address])
    return commands


def _port(rule: PortForward) -> list[str]:
    """Both dialects know this form, and it alone can say the protocol."""
    words = ["add", "port-forwarding", "--guest-port", str(rule.guest_port), "--host-port", str(rule.host_port or 0)]
    if rule.host_ip:
        words += ["--host-ip", rule.host_ip]
    if rule.protocol != "tcp":
        words += ["--protocol", rule.protocol]
    return [*words, rule.name]


def _hardware(hardware: Hardware) -> list[list[str]]:
    commands = []
    if hardware.video_controller is not None:
        commands.append(["display", "-c", hardware.video_controller])
    variables = {
        "hw.hvapic": _HVAPIC.get(hardware.hvapic or ""),
        "sys.csr-active-config": _CSR.get(hardware.csr_active_config or ""),
        "hw.serial": hardware.serial,
        "hw.uuid": hardware.uuid,
    }
    commands += [["set", "custom-variable", name, value] for name, value in variables.items() if value is not None]
    return commands
