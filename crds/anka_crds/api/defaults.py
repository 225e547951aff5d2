"""Defaults that several processes share, or that people see in the CRDs, in ``--help`` and in the docs.

Each is defined once, here: the flags, the models of the API and the REST API's documentation read it, and tests compare
the docs with it. Durations are in seconds.
"""

from typing import Final

# --- A Mac ---

MAX_VM_COUNT = 2
"""VMs at a time on one Mac: the macOS licence permits two on Apple silicon."""

CAPACITY_MODE: Final = "number"
"""As in the legacy API: a Mac takes a fixed number of VMs, whatever their size."""

RESERVE_SPACE_PERCENT = 20
"""Percent of the Mac's disk that pulls of templates leave free. VMs write to the same disk while they run."""

VM_PREFIX = "mgmtManaged-"
"""Prefix of the names of VMs, as in the legacy agent: docs/reference/legacy-api.md#vm-names."""

VM_NAME_TEMPLATE = "$template_name-$ts"
"""The rest of a VM's name: the template's name and 19 digits, as in the legacy API."""

# --- The heartbeat of a Mac ---

HEARTBEAT_SECONDS = 10.0
"""Time between two renewals of the Lease of a node, as for a kubelet; from 250 Macs on up to a fifth more."""

LEASE_DURATION_SECONDS = 40
"""Silence after which a node is Offline: four heartbeats, so that three may get lost, as for a kubelet; at 1,000 Macs
three, so that two may."""

NODE_LOST_SECONDS = 300.0
"""Time that a node is Offline before its instances fail or start elsewhere. Its VMs still run when only the network is
down, and a switch has time to restart. Kubernetes evicts pods after the same time."""

NODE_REPORT_SECONDS = 300.0
"""Longest time between two reports of an agent into the status of its AnkaNode: usage changes all the time."""

MAX_CLOCK_SKEW_SECONDS = 60
"""A Mac whose clock is further from the API's gets no new work: its VMs take their time from it, and builds check
certificates and signatures. Limits of time do not depend on it."""

# --- The leader among the operators ---

LEADER_LEASE_SECONDS = 7.0
"""Time that a silent leader keeps its Lease: half of what Kubernetes' own controllers take, since CI waits for the
first bind of the next leader. A standby has read everything already."""

LEADER_RENEW_SECONDS = 5.0
"""A leader that cannot renew its Lease for this long stands by, before another one may take over."""

LEADER_RETRY_SECONDS = 1.0
"""Time between two attempts to acquire or renew the Lease."""

# --- An instance ---

PRIORITY = 1000
"""Priority of instances and SaveImages, as in the legacy API. Lower numbers are more urgent."""

STARTUP_SCRIPT_TIMEOUT_SECONDS = 90
"""Time that a monitored startup script has, as in the legacy API."""

NETWORK_TIMEOUT_SECONDS = 180.0
"""Time that a started VM has to get an IP address. A first boot of macOS takes up to two minutes."""

PORT_PROTOCOL: Final = "tcp"

REST_REQUEST_TTL_SECONDS = 86_400
"""Time that a finished SaveImage or TemplateDistribution that came through the REST API is kept: a day, because its
clients never delete one."""

# --- MAC addresses ---

MAC_REUSE_SECONDS = 3600
"""Time that a MAC address rests after its instance: switches and DHCP servers remember it for a while. The old
controller's sweep freed addresses once an hour."""

# --- The registry ---

REGISTRY_SECONDS = 4.0
"""Time between two reads of the registry's list of templates: a push from outside shows about as soon."""

# --- Namespaces of the chart ---

SYSTEM_NAMESPACE = "anka-system"
"""The operator, the shim, and the leader's Lease."""

NODE_NAMESPACE = "anka-nodes"
"""Leases, ServiceAccounts and tokens of the Macs: nothing else, so that rights in it reach nothing else."""

JOINING_NAMESPACE = "anka-joining"
"""ServiceAccounts whose tokens are join tokens: nothing else, because whoever is in it may let a Mac in."""

CI_NAMESPACE = "anka-ci"
"""Instances that CI systems start through the REST API."""

# --- Access to the REST API ---

ACCESS_SECRET = "anka-access"  # noqa: S105
"""Secret in the operator's namespace with the root token and the keys of the shim's replicas, where the operator makes
them."""
