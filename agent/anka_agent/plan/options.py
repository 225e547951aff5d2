"""Which `anka` commands turn a fresh clone into the VM that a spec asks for, and with which USB device it is started.
See docs/reference/start-options.md."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from anka_agent.anka.arguments import Argument
from anka_crds.api.instance import AnkaInstanceSpec
from anka_crds.api.vm_options import Network, PortForward, VirtualHardware

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


def modify_commands(
    spec: AnkaInstanceSpec, vm: str, *, anka: int = 3, mac_address: str | None = None
) -> list[list[str]]:
    """Arguments of `anka`, in order; empty if the template is used unchanged. `vm` is its name or UUID, `anka` the
    major version of the command: 3 and later say `modify VM cpu 4`, 2 said `modify VM set cpu -c 4`. `mac_address`:
    what the operator has chosen, in place of what the spec asks for.

    The spelling is that of docs/reference/legacy-api.md#anka-commands. Applying them twice gives the same VM.
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
        modify("disk", "-s", Argument(spec.disk.size))
    for words in _network(spec.network or Network(), mac_address):
        modify(*words)
    if spec.port_forwarding is not None:
        # Rules of the template do not count (docs/reference/legacy-api.md#start-vm).
        modify("delete", "port-forwarding", "--all")
        for rule in spec.port_forwarding:
            modify(*_port(rule))
    if spec.hardware is not None:
        for words in _hardware(spec.hardware):
            modify(*words)
    return commands


def rename_command(name: str, vm: str, *, anka: int = 3) -> list[str]:
    """No source shows the spelling of Anka 2; all its other settings begin with `set`."""
    return ["modify", vm, *(["set"] if anka == ANKA_2 else []), "name", Argument(name)]


def changes_anything(spec: AnkaInstanceSpec, mac_address: str | None = None) -> bool:
    return bool(modify_commands(spec, "vm", mac_address=mac_address))


def grows_container(spec: AnkaInstanceSpec) -> bool:
    """Whether the APFS container in the VM follows the new size of its disk (docs/reference/legacy-api.md#start-vm)."""
    return spec.disk is not None and not spec.disk.skip_container_resize


def wakes_suspended(spec: AnkaInstanceSpec) -> bool:
    """Whether a clone of a suspended template is stopped before it is changed, which loses its memory: the old agent
    did so for this option and no other (release notes of 1.30)."""
    return spec.network is not None and spec.network.local is not None


def _network(network: Network, mac_address: str | None) -> list[list[str]]:
    commands = []
    mac_address = mac_address or network.mac_address
    if network.mode is not None:
        commands.append(["network", "-t", network.mode])
    if network.local is not None:
        commands.append(["network", "--local" if network.local == "forceOn" else "--no-local"])
    if network.vlan is not None:
        # One spelling for every version (docs/reference/legacy-api.md#vlan).
        commands.append(["set", "network-card", "--vlan", Argument(network.vlan)])
    if mac_address is not None:
        commands.append(["network", "--mac", Argument(mac_address)])
    return commands


def _port(rule: PortForward) -> list[str]:
    """Both dialects have this form, and it alone has the protocol."""
    words = ["add", "port-forwarding", "--guest-port", str(rule.guest_port), "--host-port", str(rule.host_port or 0)]
    if rule.host_ip:
        words += ["--host-ip", Argument(rule.host_ip)]
    if rule.protocol != "tcp":
        words += ["--protocol", rule.protocol]
    return [*words, Argument(rule.name)]


def _hardware(hardware: VirtualHardware) -> list[list[str]]:
    commands = []
    if hardware.video_controller is not None:
        commands.append(["display", "-c", hardware.video_controller])
    variables = {
        "hw.hvapic": _HVAPIC.get(hardware.hvapic or ""),
        "sys.csr-active-config": _CSR.get(hardware.csr_active_config or ""),
        "hw.serial": hardware.serial,
        "hw.uuid": hardware.uuid,
    }
    commands += [
        ["set", "custom-variable", name, Argument(value)] for name, value in variables.items() if value is not None
    ]
    return commands


@dataclass(frozen=True, slots=True)
class UsbCandidate:
    """A device of this Mac, by its location; `names` are those that a spec may use: group and name."""

    location: str
    names: frozenset[str] = frozenset()
    available: bool = True

    def matches(self, wanted: str) -> bool:
        return wanted == self.location or wanted in self.names


def choose_device(
    wanted: str | None, booked: str | None, devices: Sequence[UsbCandidate], taken: Collection[str]
) -> str | None:
    """Location of the device for an instance that asks for `wanted` and has `booked`; `taken` are the locations that
    other instances have.

    A booked device stays while the spec still asks for it and no other instance got it while the VM was stopped: given
    the name of a group, `anka` would take any device of it, perhaps one that is booked for another instance. With
    nothing free, `wanted` itself: `anka` says what is wrong.
    """
    if wanted is None:
        return None
    fitting = sorted((one for one in devices if one.matches(wanted)), key=lambda one: one.location)
    kept = booked is not None and (booked == wanted or any(one.location == booked for one in fitting))
    if kept and booked not in taken:
        return booked
    free = [one.location for one in fitting if one.available and one.location not in taken]
    return free[0] if free else wanted
