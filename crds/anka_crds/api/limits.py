"""Limits of the API that writers must respect: the schema refuses anything beyond them.

Lists are limited because etcd refuses objects over 1.5 MiB, and because the apiserver estimates the cost of CEL rules
from the longest possible list or text.
"""

MAX_LABEL = 256
MAX_TEXT = 4096
MAX_BASE64 = 700_000

HIGHEST_PRIORITY = 1
LOWEST_PRIORITY = 10_000

MAX_SECONDS = 31_536_000  # 365 days: for ttlSecondsAfterFinished, maxLifetimeSeconds and startDeadlineSeconds

MAX_PORT_RULES = 64  # per AnkaInstance
MAX_REFUSALS = 3  # Macs that could not start an AnkaInstance, after which it fails
MAX_TARGETS = 1024  # Macs in spec and status of one TemplateDistribution; more take turns in the status

MAX_VMS = 256  # per Mac
MAX_LOCAL_TEMPLATES = 1024  # tags on one Mac
MAX_USB_DEVICES = 256
MAX_TEMPLATE_TASKS = 64  # concurrent pulls and removals on one Mac
MAX_REQUIRED_TEMPLATES = 256  # tags that rules keep on one Mac

MAX_SCRIPT_ERRORS = 16

MAX_PUBLIC_KEY = 2048  # characters of an ApiKey's; RSA of 8192 bits takes 1,416
MAX_KEY_GROUPS = 64  # per ApiKey
MAX_GRANTED_RESOURCES = 2048  # per PermissionGroup

MAX_MAC_RANGES = 64  # per MACAddressPool
MAX_MAC_REUSE_SECONDS = 86_400  # a day: the operator remembers each address that rests

MAX_VERSIONS = 5000  # per AnkaTemplate
MAX_DESCRIPTION = 256  # of a version
MAX_LOCATIONS = 4096  # Macs and tags in the status of one AnkaTemplate
MAX_IMAGES = 256  # per version
MAX_STATE_FILES = 64  # per version

ETCD_BYTES = 1_500_000
"""An object of more bytes is refused: by etcd, as it is set up by default."""
NAME_BYTES = 253  # of metadata.name of any object
UID_BYTES = 64  # of metadata.uid

CONDITION_BYTES = 8_192  # of the message of one condition
VERSIONS_BYTES = 600_000
LOCATIONS_BYTES = 250_000
HELD_BYTES = 300_000
KEPT_BYTES = 100_000
USB_BYTES = 50_000
TASK_BYTES = 2_048
TASK_NAME_BYTES = 1_500
PROGRESS_BYTES = 400_000
PORTS_BYTES = 50_000
OUTPUT_BYTES = 65_536
SCRIPT_ERROR_BYTES = 1_024

BUDGETS = {
    "conditions[].message": CONDITION_BYTES,
    "AnkaTemplate.status.versions": VERSIONS_BYTES,
    "AnkaTemplate.status.nodes": LOCATIONS_BYTES,
    "AnkaNode.status.templates": HELD_BYTES,
    "AnkaNode.status.keptTemplates": KEPT_BYTES,
    "AnkaNode.status.usbDevices": USB_BYTES,
    "AnkaNode.status.distributions[].name": TASK_NAME_BYTES,
    "AnkaNode.status.distributions[].uid": UID_BYTES,
    "AnkaNode.status.distributions[].message": TASK_BYTES,
    "TemplateDistribution.status.nodes[].message": PROGRESS_BYTES // MAX_TARGETS,
    "TemplateDistribution.status.nodes[].nodeName": NAME_BYTES,
    "AnkaInstance.status.vm.portForwarding": PORTS_BYTES,
    "stdout": OUTPUT_BYTES,
    "stderr": OUTPUT_BYTES,
    "errors[]": SCRIPT_ERROR_BYTES,
}
"""Bytes of JSON to which a controller cuts what the schema lets grow further, by the end of the field's path: so what
controllers write into any status stays below ETCD_BYTES. Not here: status.vlans of an AnkaNode, which people write."""
