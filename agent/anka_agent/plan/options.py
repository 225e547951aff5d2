"""Which `anka modify` commands turn a fresh clone into the VM that a spec asks for."""

from __future__ import annotations

from anka_crds.api.instance import AnkaInstanceSpec
from anka_crds.api.vm_options import Hardware, Network, PortForward

_ON_OFF = {"forceOn": "1", "forceOff": "0"}


def modify_commands(spec: AnkaInstanceSpec, vm: str) -> list[list[str]]:
    """Arguments of `anka`, in order; nothing when the template is taken as it is. `vm` is its name or UUID.

    Spelled as the seed document and legacy-clients section 3 have it. Applying them twice gives the same VM.
    """
    commands: list[list[str]] = []

    def modify(*words: str) -> None:
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
        modify("delete", "port", "-a")
        for rule in spec.port_forwarding:
            modify(*_port(rule))
    if spec.hardware is not None:
        for words in _hardware(spec.hardware):
            modify(*words)
    return commands


def changes_anything(spec: AnkaInstanceSpec) -> bool:
    return bool(modify_commands(spec, "vm"))


def _network(network: Network) -> list[list[str]]:
    commands = []
    if network.mode is not None:
        commands.append(["network", "-t", network.mode])
    if network.local is not None:
        commands.append(["network", "--local" if network.local == "forceOn" else "--no-local"])
    if network.vlan is not None:
        # The seed spells this command out: anka modify {clonedVMName} set network-card --vlan {ID}.
        commands.append(["set", "network-card", "--vlan", network.vlan])
    if network.mac_address is not None:
        commands.append(["set", "network-card", "--mac", network.mac_address])
    return commands


def _port(rule: PortForward) -> list[str]:
    """The 3.x form where it can say it; protocol and address need the older one."""
    words = ["add", "port-forwarding", "--guest-port", str(rule.guest_port), "--host-port", str(rule.host_port or 0)]
    if rule.host_ip:
        words += ["--host-ip", rule.host_ip]
    if rule.protocol != "tcp":
        words += ["--protocol", rule.protocol]
    return [*words, rule.name]


def _hardware(hardware: Hardware) -> list[list[str]]:
    commands = []
    if hardware.video_controller is not None:
        commands.append(["set", "display", "-c", hardware.video_controller])
    variables = {
        "hvapic": _ON_OFF.get(hardware.hvapic or ""),
        "csr-active-config": _ON_OFF.get(hardware.csr_active_config or ""),
        "hw.serial": hardware.serial,
        "hw.uuid": hardware.uuid,
    }
    commands += [["set", "custom-variable", name, value] for name, value in variables.items() if value is not None]
    return commands
