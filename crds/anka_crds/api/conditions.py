"""The vocabulary of status.conditions and of Events: every type and reason that the product writes, with its meaning.

Values are part of the API: clients match them, so they never change. Meanings are for people;
``docs/reference/conditions.md`` is generated from them. The types follow kstatus, so that ``kubectl wait``, Helm, Flux
and Argo CD understand every kind.
"""

from enum import StrEnum
from typing import Self


class DocumentedEnum(StrEnum):
    """A StrEnum whose members carry a one-line description: ``NAME = "Value", "Meaning."``"""

    meaning: str

    def __new__(cls, value: str, meaning: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member


class ConditionType(DocumentedEnum):
    READY = "Ready", "The object can be used, or the request is done."
    RECONCILING = "Reconciling", "True while the object is on its way to what its spec asks for; absent otherwise."
    STALLED = "Stalled", "True when it failed and does not recover without a change; absent otherwise."
    SCHEDULED = "Scheduled", "AnkaInstance: it is bound to a node."
    ALIVE = "Alive", "AnkaNode: the agent sends heartbeats. The transition to False shows since when there are none."
    UNKNOWN_GROUPS = "UnknownGroups", "AnkaNode: True when spec.groups names a NodeGroup that does not exist."
    CLOCK_SKEWED = "ClockSkewed", "AnkaNode: True when the Mac's clock is so wrong that it gets no new work."
    LISTS_CUT = (
        "ListsCut",
        "AnkaNode: True when its status cannot hold all tags or devices of the Mac: the message has the numbers.",
    )
    IDENTITY_CONFLICT = (
        "IdentityConflict",
        "AnkaNode: True when a second machine has its identity, or another AnkaNode is on the same machine.",
    )


class ConditionReason(DocumentedEnum):
    """`reason` of a condition: one subclass for each kind."""

    @classmethod
    def parse(cls, value: str, default: Self) -> Self:
        """The member with this value; `default` for a value of another version that this one does not know."""
        try:
            return cls(value)
        except ValueError:
            return default


class InitialReason(ConditionReason):
    PENDING = "Pending", "No controller has written a status yet."


class InstanceReason(ConditionReason):
    UNSCHEDULABLE = "Unschedulable", "No node can take it now: the message counts the nodes by what rules them out."
    NODE_NOT_FOUND = "NodeNotFound", "spec.node names an AnkaNode that does not exist."
    GROUP_NOT_FOUND = "GroupNotFound", "spec.group names a NodeGroup that does not exist."
    GROUP_EMPTY = "GroupEmpty", "No node belongs to the group or to its fallbacks."
    PERMISSION_GROUP_NOT_FOUND = (
        "PermissionGroupNotFound",
        "Resource permissions are on, and spec.permissionGroup names a PermissionGroup that does not exist.",
    )
    TEMPLATE_NOT_FOUND = "TemplateNotFound", "The registry does not have the template or the tag."
    TEMPLATE_AMBIGUOUS = "TemplateAmbiguous", "Several templates have this name: the message lists their UUIDs."
    TEMPLATE_NOT_READY = "TemplateNotReady", "The registry lists no version of the template yet."
    TAG_NOT_FOUND = "TagNotFound", "The template has no such tag."
    VERSION_NOT_FOUND = "VersionNotFound", "The template has no version of this number."
    NO_MAC_ADDRESS = "NoMacAddress", "A node could take it, but no MACAddressPool has an address that is free."
    MAC_ADDRESS_TAKEN = "MacAddressTaken", "Another instance has the MAC address that spec.network.macAddress asks for."
    SCHEDULED = "Scheduled", "It is bound to a node."
    SCHEDULING = "Scheduling", "Its node has the template: the VM is about to start."
    PULLING = "Pulling", "Its node pulls the template."
    STARTED = "Started", "The VM runs and can be used."
    PUSHING = "Pushing", "The VM is being saved to the registry and must not be used."
    TERMINATING = "Terminating", "The VM is being stopped and deleted."
    START_DEADLINE_EXCEEDED = "StartDeadlineExceeded", "It did not reach Started within spec.startDeadlineSeconds."
    NODE_LOST = "NodeLost", "Its node sent no heartbeat for too long."
    NODE_GONE = "NodeGone", "The AnkaNode of its node was deleted."
    NO_DISK_SPACE = "NoDiskSpace", "The template does not fit on the Mac's disk: the message has the numbers."
    PULL_FAILED = "PullFailed", "The template could not be pulled in three attempts."
    CLONE_FAILED = "CloneFailed", "anka could not clone the VM from the template."
    CONFIGURE_FAILED = "ConfigureFailed", "anka refused a setting of the spec."
    TEMPLATE_SUSPENDED = (
        "TemplateSuspended",
        "Its MAC address could not be set: the template is of a suspended VM, which Anka cannot change.",
    )
    START_FAILED = "StartFailed", "anka could not start the VM, or its VNC password could not be read."
    RESTART_FAILED = "RestartFailed", "anka could not restart the VM."
    NETWORK_FAILED = "NetworkFailed", "The address of the VM could not be read from anka."
    NETWORK_TIMEOUT = "NetworkTimeout", "The VM got no IP address within the agent's --network-timeout."
    DISK_RESIZE_FAILED = "DiskResizeFailed", "The APFS container in the VM could not be grown into its disk."
    SCRIPT_FAILED = "ScriptFailed", "The startup script ended with an exit code other than 0, or could not be run."
    SCRIPT_TIMED_OUT = "ScriptTimedOut", "The startup script did not end within timeoutSeconds."
    SCRIPT_LOST = "ScriptLost", "The Mac or its Anka went down while the startup script ran."
    VM_FAILED = "VmFailed", "Anka reports the VM as failed."
    VM_STOPPED = "VmStopped", "The VM ended by itself, or was stopped on the Mac."
    VM_LOST = "VmLost", "The VM is no longer on the Mac."
    VM_STUCK = "VmStuck", "The VM did not run a command within the agent's --vm-stuck-timeout: it answers no more."
    STATUS_REFUSED = "StatusRefused", "The Kubernetes API refuses what its node reports: see the message."
    FAILED = "Failed", "Another step failed: the message names it."


class NodeReason(ConditionReason):
    ACTIVE = "Active", "It takes instances."
    DRAINING = "Draining", "Running instances finish; nothing new starts on it."
    UPDATING = "Updating", "The agent is being replaced by another version."
    NO_HEARTBEAT = "NoHeartbeat", "The agent sends no heartbeat."
    DELETED = "Deleted", "The AnkaNode is being deleted: the Mac has no rights any more."
    HEARTBEAT = "Heartbeat", "The agent sends heartbeats."
    INVALID_LICENSE = "InvalidLicense", "The Anka licence of the Mac is not valid."
    UNHEALTHY = "Unhealthy", "No VM can start: see status.problem; or the Mac is full, and none of its VMs runs."
    AGENT_UPDATE = "AgentUpdate", "The agent is to be updated to spec.agentVersion."
    AGENT_UPDATE_FAILED = "AgentUpdateFailed", "The update to spec.agentVersion failed: see status.agentUpdate."
    NOT_REPORTING = "NotReporting", "The agent sends heartbeats, but does not report what the Mac is."
    CLOCK_SKEWED = "ClockSkewed", "The Mac's clock is too far from the API's."
    SECOND_MACHINE = "SecondMachine", "Another machine has a copy of the Mac's identity, and is kept from work."
    SAME_MACHINE = "SameMachine", "Another AnkaNode is on the same machine."
    NO_ROOM = "NoRoom", "A list of the status has more elements than it can hold, or the API refuses it."
    NOT_FOUND = "NotFound", "A NodeGroup of spec.groups does not exist."


class GroupReason(ConditionReason):
    READY = "Ready", "It has Macs, and its fallback exists."
    EMPTY = "Empty", "No Mac names the group in its spec.groups."
    FALLBACK_NOT_FOUND = "FallbackNotFound", "spec.fallbackGroup names a NodeGroup that does not exist."
    FALLBACK_CYCLE = "FallbackCycle", "The fallbacks lead back to the group itself."


class MacPoolReason(ConditionReason):
    READY = "Ready", "It has addresses for instances."
    NO_ADDRESSES = "NoAddresses", "No range has an address that a network card may have."
    EXHAUSTED = "Exhausted", "All its addresses are in use or rest: instances wait, unless another pool has some."


class TemplateReason(ConditionReason):
    READY = "Ready", "The registry has it, and its versions are known."
    NOT_IN_REGISTRY = "NotInRegistry", "The registry does not have the template."
    REGISTRY_UNREACHABLE = "RegistryUnreachable", "Its versions are not known yet: the registry does not answer."
    REGISTRY_UNAUTHORIZED = (
        "RegistryUnauthorized",
        "The same: the registry does not accept the operator's credential, or it has not the right.",
    )
    NO_VERSIONS = "NoVersions", "The registry lists no version of it yet."
    TAG_NOT_FOUND = "TagNotFound", "A rule of spec.distribution names a tag that the registry does not yet have."
    STATUS_REFUSED = "StatusRefused", "The Kubernetes API refuses what the registry has of it: see the message."
    DISTRIBUTING = "Distributing", "Some Macs do not yet have a tag that spec.distribution keeps on them."


class SaveReason(ConditionReason):
    INSTANCE_STARTING = "InstanceStarting", "The instance is not Started yet: the request waits."
    SAVING = "Saving", "The agent of the instance's node saves it."
    PUSHED = "Pushed", "The VM was pushed to the registry; the operator reads that there."
    SAVED = "Saved", "The VM was pushed to the registry, and the AnkaTemplate shows it."
    INSTANCE_NOT_FOUND = "InstanceNotFound", "The namespace has no such AnkaInstance."
    INSTANCE_NOT_RUNNING = "InstanceNotRunning", "The instance is Stopped or failed, or another controller manages it."
    INSTANCE_DELETED = "InstanceDeleted", "The instance was deleted before it was saved."
    NODE_LOST = "NodeLost", "The instance's node sent no heartbeat for too long, or its AnkaNode was deleted."
    NOT_RUNNING = "NotRunning", "The instance left the phase Started before the save began."
    VM_STOPPED = "VmStopped", "The VM ended while it was being saved."
    VM_LOST = "VmLost", "The VM is no longer on the Mac."
    REGISTRY_FAILED = "RegistryFailed", "The registry could not be queried for the tag or name."
    TEMPLATE_NOT_FOUND = "TemplateNotFound", "The registry does not have the target template."
    TEMPLATE_AMBIGUOUS = "TemplateAmbiguous", "Several templates have this name: the message lists their UUIDs."
    TAG_EXISTS = "TagExists", "The target template already has the tag."
    NAME_TAKEN = "NameTaken", "The registry already has a template with the new name."
    SCRIPT_FAILED = "ScriptFailed", "spec.script failed or could not be run."
    SUSPEND_FAILED = "SuspendFailed", "anka could not suspend or stop the VM."
    SANITY_TEST_FAILED = "SanityTestFailed", "The suspended VM could not be resumed."
    REVERT_FAILED = "RevertFailed", "anka could not revert the tag of the target template."
    RENAME_FAILED = "RenameFailed", "anka could not give the VM the template's name."
    PUSH_FAILED = "PushFailed", "anka could not push the VM to the registry."
    DISK_FAILED = "DiskFailed", "The agent could not write to the Mac's disk."
    FAILED = "Failed", "Another step failed: the message names it."


class DistributionReason(ConditionReason):
    TEMPLATE_NOT_FOUND = "TemplateNotFound", "Neither the registry nor, for a removal, a Mac has the template."
    TEMPLATE_AMBIGUOUS = "TemplateAmbiguous", "Several templates have this name: the message lists their UUIDs."
    TEMPLATE_NOT_READY = "TemplateNotReady", "The registry lists no version of the template yet: the request waits."
    TAG_NOT_FOUND = "TagNotFound", "The template has no such tag."
    VERSION_NOT_FOUND = "VersionNotFound", "The template has no version of this number."
    GROUP_NOT_FOUND = "GroupNotFound", "spec.group names a NodeGroup that does not exist."
    PERMISSION_GROUP_NOT_FOUND = (
        "PermissionGroupNotFound",
        "Resource permissions are on, and spec.permissionGroup names a PermissionGroup that does not exist.",
    )
    NOT_PERMITTED = "NotPermitted", "spec.permissionGroup must not use a Mac that spec.nodes names."
    NO_MACS = "NoMacs", "No Mac is selected: there is nothing to do."
    PULLING = "Pulling", "The selected Macs pull the template."
    REMOVING = "Removing", "The selected Macs remove the template."
    MACS_CHANGED = "MacsChanged", "spec.nodes or spec.group was changed: other Macs are selected now."
    RUNNING = "Running", "Some Macs have not finished yet."
    DONE = "Done", "All selected Macs have finished."
    FAILED = "Failed", "At least one Mac failed: the message has the first failure."
    CANCELLED = "Cancelled", "spec.cancelled was set before all Macs had finished."


class EventReason(DocumentedEnum):
    """`reason` of a core/v1 Event, in addition to those of conditions, which Events repeat."""

    FAILED_SCHEDULING = "FailedScheduling", "AnkaInstance: why it has no node yet."
    RESCHEDULED = "Rescheduled", "AnkaInstance: it lost its node and starts on another one."
    FAILED = "Failed", "AnkaInstance: it failed, and no condition has the reason."
    CHANGED = "Changed", "AnkaNode: its state changed, and no condition has the reason."
    MAX_LIFETIME_EXCEEDED = ("MaxLifetimeExceeded", "AnkaInstance: deleted spec.maxLifetimeSeconds after its start.")
    TTL_AFTER_FINISHED = "TTLAfterFinished", "AnkaInstance: deleted spec.ttlSecondsAfterFinished after its end."
    TEMPLATE_REMOVED = "TemplateRemoved", "AnkaNode: a template was removed from the disk to make room for a pull."
    NO_DISK_SPACE = "NoDiskSpace", "AnkaNode: a template does not fit on the Mac's disk."


_BASIC = (ConditionType.READY, ConditionType.RECONCILING, ConditionType.STALLED)

CONDITIONS: dict[str, tuple[tuple[ConditionType, ...], type[ConditionReason]]] = {
    "AnkaInstance": ((*_BASIC, ConditionType.SCHEDULED), InstanceReason),
    "AnkaNode": (
        (
            *_BASIC,
            ConditionType.ALIVE,
            ConditionType.UNKNOWN_GROUPS,
            ConditionType.CLOCK_SKEWED,
            ConditionType.LISTS_CUT,
            ConditionType.IDENTITY_CONFLICT,
        ),
        NodeReason,
    ),
    "AnkaTemplate": (_BASIC, TemplateReason),
    "MACAddressPool": (_BASIC, MacPoolReason),
    "NodeGroup": (_BASIC, GroupReason),
    "SaveImage": (_BASIC, SaveReason),
    "TemplateDistribution": (_BASIC, DistributionReason),
}
"""Kind -> the types and reasons of its conditions. InitialReason is a reason of every kind."""
