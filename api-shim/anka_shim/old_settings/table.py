"""Every documented setting of the old controller and its registry, and what it is here. Pure data: the page
docs/operate/from-the-old-controller.md and `anka-shim translate-env` are made from it.

Names and defaults are those of veertuinc's documentation, controller 1.50."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from anka_shim.old_settings.conversion import (
    Conversion,
    to_log_level,
    to_seconds,
    to_service_port,
    to_switch,
    to_url,
)

Outcome = Literal["translated", "by hand", "not needed", "missing"]
"""What becomes of a setting. By hand: there is an equivalent, which needs what the file does not have, such as a
Secret. Missing: what it did does not exist here."""


@dataclass(frozen=True)
class SettingAnswer:
    """What settings are here. `values`: of the chart. `flags`: of programs, `anka-shim --port`. `rest`: what is left to
    do by hand where the setting is translated."""

    names: tuple[str, ...]
    default: str
    outcome: Outcome
    text: str
    values: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    convert: Conversion | None = None
    rest: str = ""


def translate(
    names: str, default: str, text: str, convert: Conversion, *, values: str, flags: str = "", rest: str = ""
) -> SettingAnswer:
    return SettingAnswer(_names(names), default, "translated", text, *_places(values, flags), convert, rest)


def by_hand(names: str, default: str, text: str, *, values: str = "", flags: str = "") -> SettingAnswer:
    return SettingAnswer(_names(names), default, "by hand", text, *_places(values, flags))


def not_needed(names: str, default: str, text: str) -> SettingAnswer:
    return SettingAnswer(_names(names), default, "not needed", text)


def missing(names: str, default: str, text: str) -> SettingAnswer:
    return SettingAnswer(_names(names), default, "missing", text)


def _names(words: str) -> tuple[str, ...]:
    return tuple(f"ANKA_{word}" for word in words.split())


def _places(values: str, flags: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(values.split()), tuple(flag.strip() for flag in flags.split(",") if flag.strip())


_ETCD = "there is no etcd of ours: everything is in the Kubernetes API"
_QUEUE = "Macs use the Kubernetes API, each with a token of its own"
_FILES = "every process logs to standard error; how long that is kept is the cluster's to say"
_REGISTRY_LOGIN = "where the registry demands a login, name a Secret"
_OWN_PROCESS = "the registry stays its own process, with its own settings"

CONTROLLER: tuple[SettingAnswer, ...] = (
    translate("ANKA_REGISTRY", "", "the registry as the Macs reach it", to_url("registry.url"),
              values="registry.url", flags="anka-operator --registry-url, anka-shim --registry-url"),
    translate("LOCAL_ANKA_REGISTRY", "", "the registry as operator and shim reach it", to_url("registry.internalUrl"),
              values="registry.internalUrl",
              flags="anka-operator --registry-internal-url, anka-shim --registry-internal-url"),
    translate("PUSH_REGISTRY", "", "the registry that saved images are pushed to: one, where the old one took several",
              to_url("shim.flags.push-registry"), values="shim.flags", flags="anka-shim --push-registry"),
    by_hand("ALLOW_EMPTY_REGISTRY", "false", "leave the URL empty", values="registry.url"),
    translate("LISTEN_ADDR", ":80", "the port becomes that of the Service; pods listen on their own addresses",
              to_service_port, values="service.port listen shim.port", flags="anka-shim --port"),
    translate("INSTANCE_TIME_OUT", "1m", "how long an instance is shown as Terminated",
              to_seconds("shim.flags.terminated-seconds"), values="shim.flags",
              flags="anka-shim --terminated-seconds"),
    not_needed("NUM_WORKERS BATCH_TASK_COUNT", "2", "the operator acts on events, not on queues"),
    translate("MANAGE_MAC_ADDRESSES", "false", "each instance gets a MAC address of its own",
              to_switch("macAddresses.enabled"), values="macAddresses.enabled",
              flags="anka-operator --manage-mac-addresses, anka-shim --manage-mac-addresses",
              rest="make a MACAddressPool of your range: without one, nothing is managed"),
    by_hand("MAC_ADDR_RANGE", "", "first and last of a MACAddressPool's spec.ranges",
            values="macAddresses.enabled"),
    by_hand("CLEAN_MAC_ADDRESS_INTERVAL", "1h", "spec.reuseAfterSeconds of the MACAddressPool",
            values="macAddresses.enabled"),
    not_needed("MAC_ADDR_RANGE_MAX_RETRIES FILL_MAC_ADDRESS_RANGE_INTERVAL", "100, 3h",
               "a pool is a range: there is no list to fill, and nothing to race for"),
    translate("ENABLE_AUTH", "false", "here it is on by default: who sends no credentials gets HTTP 401",
              to_switch("auth.enabled"), values="auth.enabled", flags="anka-shim --enable-auth",
              rest="the operator makes a root token, unless auth.rootToken names a Secret of yours"),
    by_hand("ROOT_TOKEN", "", "put it into a Secret, key root-token, and name that: values must not hold secrets",
            values="auth.rootToken.secretName", flags="anka-shim --root-token-file"),
    translate("ENABLE_API_KEYS", "false", "clients keep their private keys; here it is on by default",
              to_switch("auth.apiKeys.enabled"), values="auth.apiKeys.enabled",
              flags="anka-shim --enable-api-keys, anka-shim --seal-key-file",
              rest="make an ApiKey of each public key"),
    translate("API_KEYS_SESSION_TTL", "5m", "how long a login lasts", to_seconds("shim.flags.api-key-session-seconds"),
              values="shim.flags", flags="anka-shim --api-key-session-seconds"),
    translate("API_KEYS_CLEANING_INTERVAL", "4h", "when expired keys are removed; they are refused at once",
              to_seconds("shim.flags.api-key-sweep-seconds"), values="shim.flags",
              flags="anka-shim --api-key-sweep-seconds"),
    by_hand("CA_CERT ROOT_CERT CRL ENABLE_INGRESS_NGINX", "none, none, none, false",
            "put the authorities into a Secret, and name the proxies whose header counts",
            values="auth.certificates.caSecret auth.certificates.crlSecret auth.certificates.header shim.flags",
            flags="anka-shim --client-ca-file, anka-shim --client-crl-file, anka-shim --client-cert-header, "
            "anka-shim --trusted-proxies"),
    by_hand("OIDC_PROVIDER_URL OIDC_CLIENT_ID OIDC_GROUPS_CLAIM OIDC_USERNAME_CLAIM", "none, none, groups, name",
            "name the clients that machines have at the provider, too; it needs auth.authorization",
            values="auth.oidc.providerUrl auth.oidc.clientId auth.oidc.audiences auth.oidc.groupsClaim "
            "auth.oidc.usernameClaim",
            flags="anka-shim --oidc-provider-url, anka-shim --oidc-client-id, anka-shim --oidc-audiences, "
            "anka-shim --oidc-groups-claim, anka-shim --oidc-username-claim"),
    by_hand("OIDC_CLIENT_SECRET OIDC_SCOPES", "",
            "put the secret into a Secret: values must not hold secrets; name the site that browsers come back to",
            values="auth.oidc.clientSecret.secretName auth.oidc.scopes auth.oidc.siteUrl",
            flags="anka-shim --oidc-client-secret-file, anka-shim --oidc-scopes, anka-shim --site-url"),
    missing("OIDC_DISPLAY_NAME OIDC_USER_INFO OIDC_CACHE_TTL", "none, false, 1h",
            "the portal says OpenID Connect; claims are read from the token"),
    translate("ENABLE_CONTROLLER_AUTHORIZATION", "false", "who has logged in may do what their permission groups say",
              to_switch("auth.authorization"), values="auth.authorization",
              flags="anka-shim --enable-authorization",
              rest="make the PermissionGroups: who is in none may do nothing, except with the root token"),
    translate("ENABLE_RESOURCE_MANAGEMENT", "false", "members of a group see and use what its resources permit",
              to_switch("resourcePermissions.enabled"), values="resourcePermissions.enabled",
              flags="anka-operator --enable-resource-permissions, anka-shim --enable-resource-permissions",
              rest="give each PermissionGroup its resources: without any template, it has none"),
    by_hand("USE_HTTPS SERVER_CERT SERVER_KEY", "false",
            "put certificate and key into a Secret, or let TLS end in front of the shim, at the Ingress or the Gateway",
            values="tls.secretName ingress.tlsSecret certificate.enabled gateway.enabled",
            flags="anka-shim --tls-cert-file, anka-shim --tls-key-file"),
    by_hand("CIPHER_SUITES MIN_TLS_VERSION MAX_TLS_VERSION", "",
            "by OpenSSL's names; there is no newest version to set", values="shim.flags ingress.annotations",
            flags="anka-shim --tls-ciphers, anka-shim --tls-min-version"),
    by_hand("SKIP_TLS_VERIFICATION", "false", "verification stays on: give the authority of the registry's certificate",
            values="registry.caSecret", flags="anka-operator --registry-ca-file, anka-shim --registry-ca-file"),
    by_hand("CLIENT_CERT CLIENT_CERT_KEY CLIENT_KEYSTORE CLIENT_KEYPASS API_KEY_ID API_KEY_STRING", "",
            _REGISTRY_LOGIN, values="registry.credentials",
            flags="anka-operator --registry-api-key-file, anka-operator --registry-cert-file"),
    translate("ENABLE_CENTRAL_LOGGING", "false", "logs are sent to the registry", to_switch("logs.central"),
              values="logs.central", flags="anka-operator --disable-central-logging, "
              "anka-shim --disable-central-logging, anka-agent --registry-url",
              rest="this is for operator and shim; a Mac sends its logs where it joins with --registry-url"),
    translate("ENABLE_EVENT_LOGGING", "false", "the same eleven events, of kubectl too", to_switch("eventLog.enabled"),
              values="eventLog.enabled", flags="anka-operator --enable-event-log"),
    translate("EVENT_LOG_URL", "", "each event is a POST of its own; what logs in there is in a Secret",
              to_url("eventLog.url", login="eventLog.headersSecret", keep_slash=True),
              values="eventLog.url eventLog.headersSecret eventLog.format",
              flags="anka-operator --event-log-url, anka-operator --event-log-headers-file, "
              "anka-operator --event-log-format"),
    translate("V LOG_LEVEL", "0", "0 is INFO, more is DEBUG", to_log_level, values="logs.level",
              flags="anka-operator --log-level, anka-shim --log-level"),
    not_needed("VMODULE", "", "levels are for whole processes: logs.level"),
    not_needed("LOG_DIR LOGTOSTDERR ALSOLOGTOSTDERR", "none, false, true", _FILES),
    not_needed("LOG_MAX_DAYS LOG_MAX_MB CMD_LOG_MAX_DAYS CMD_LOG_MAX_MB ERROR_LOG_MAX_DAYS ERROR_LOG_MAX_MB "
               "INFO_LOG_MAX_DAYS INFO_LOG_MAX_MB", "7, 700, 7, 1024, 3, 200, 0, 0", _FILES),
    not_needed("CONFIG DUMPFLAGS ALLOWUNKNOWNFLAGS VERSION", "",
               "values are in a file for Helm; --help lists all flags"),
    not_needed("ENABLE_METRICS METRICS_PATH METRICS_PORT", "false, /metrics, 2112",
               "metrics are always on: /metrics at shim.port and operator.port"),
    translate("NODE_ACTIVE_TIMEOUT", "2m", "when a Mac that does not report is Offline",
              to_seconds("operator.flags.heartbeat-seconds"), values="operator.flags",
              flags="anka-operator --heartbeat-seconds, anka-agent --lease-duration",
              rest="this is for a Mac that never reported; each other one has its own --lease-duration"),
    not_needed("INSTANCE_ACTIVE_TIMEOUT", "2m", "the state of the node stands for its instances"),
    not_needed("UNKNOWN_VM_THRESHOLD", "30", "the agent removes VMs of its prefix that belong to no instance"),
    not_needed("QUERY_TASK_TIMEOUT RESERVE_TASK_TIMEOUT", "10s", "agents watch; they do not poll"),
    not_needed("SCHEDULER_INTERVAL CLEAN_QUEUES_INTERVAL", "30m, 1h", "the operator acts on events, not on queues"),
    translate("GRACEFUL_SHUTDOWN_TIMEOUT", "10s", "from the end of readiness to the end of listening",
              to_seconds("shim.flags.drain-seconds"), values="shim.flags", flags="anka-shim --drain-seconds"),
    by_hand("DIAL_TIMEOUT REQUEST_TIMEOUT TLS_HANDSHAKE_TIMEOUT NUM_HTTP_RETRIES MAX_IDLE_CONNECTION_PER_HOST",
            "5s, 15s, 5s, 5, 50", "how long a request waits for the Kubernetes API", values="shim.flags",
            flags="anka-shim --write-seconds"),
    not_needed("NO_NODE_UPGRADES", "false", "an agent is updated when somebody asks for it, never by itself"),
    by_hand("ALLOW_CORS", "false", "name the origins whose pages may use the API: there is no word for all of them",
            values="shim.flags", flags="anka-shim --allow-cors"),
    not_needed("VRAMTHRESHOLD", "0", "it was for a graph of the old portal"),
    not_needed("QUEUE_ADDR ENABLE_QUEUE_AUTH USE_QUEUE_TLS QUEUE_CA_CERT QUEUE_CRL QUEUE_SERVER_CERT QUEUE_SERVER_KEY",
               "none, false, false", _QUEUE),
    not_needed("STANDALONE ETCD_ENDPOINTS QUEUE_ETCD_ENDPOINTS USE_ETCD_TLS ETCD_CA_CERT ETCD_CERT ETCD_CERT_KEY "
               "SKIP_ETCD_TLS_VERIFICATION USE_ETCD_LOGIN ETCD_USERNAME ETCD_PASSWORD DEFRAG_DB_INTERVAL "
               "AUTO_COMPACTION_MODE AUTO_COMPACTION_RETENTION DATA_DIR NAME INITIAL_CLUSTER INITIAL_CLUSTER_STATE "
               "INITIAL_CLUSTER_TOKEN INITIAL_ADVERTISE_PEER_URLS LISTEN_CLIENT_URLS LISTEN_PEER_URLS "
               "ADVERTISE_CLIENT_URLS", "", _ETCD),
    by_hand("ETCD_REQUEST_TIMEOUT", "20s", "of requests to the Kubernetes API", values="shim.flags",
            flags="anka-shim --write-seconds, anka-shim --batch-seconds"),
    not_needed("RUN_REGISTRY REGISTRY_BASE_PATH REGISTRY_LISTEN_ADDRESS REGISTRY_ACCESS_LOGS "
               "REGISTRY_VM_LIST_CACHE_TTL ENABLE_REGISTRY_AUTHORIZATION", "false, none, :8089, false, 30s, false",
               _OWN_PROCESS),
    not_needed("INTERNAL_LISTEN_ADDR USE_HTTPS_INTERNAL", "", "it was the registry's second port, gone in 1.36"),
)  # fmt: skip

REGISTRY: tuple[SettingAnswer, ...] = (
    not_needed("BASE_PATH IMAGE_DIR_PATH STATE_FILE_DIR_PATH VM_DIR_PATH FILES_DIR LOGS_DIR",
               "., images_dir, state_file_dir, vm_dir, /files, /central-logs", _OWN_PROCESS),
    not_needed("VM_LIST_CACHE_TTL VM_LIST_CONCURRENCY", "30s, 10", _OWN_PROCESS),
    not_needed("BACKEND_TYPE BACKEND_S3_BUCKET BACKEND_S3_USE_PATH_STYLE BACKEND_S3_SKIP_TLS_VERIFICATION "
               "BACKEND_S3_LOG_REQUESTS BACKEND_S3_UPLOAD_PART_SIZE BACKEND_S3_UPLOAD_CONCURRENCY "
               "BACKEND_S3_DOWNLOAD_BUFFER_SIZE BACKEND_S3_ABORT_INCOMPLETE_MULTIPART_UPLOAD_DAYS",
               "disk, anka-registry, false, false, false, 20971520, 2, 2097152, 1", _OWN_PROCESS),
    not_needed("KEEP_LOGS_FOR MAX_LOG_SIZE ROTATE_LOG_FILES_AT_MAX_FILE_SIZE ROTATE_LOG_FILES_END_OF_DAY "
               "LOG_SERVER_ADDR LOG_SERVER_BACKEND_TYPE", "7 days, 1024 MB, true, false, none, disk", _OWN_PROCESS),
    not_needed("ENABLE_AUTHORIZATION ACCESS_LOGS", "false", _OWN_PROCESS),
)  # fmt: skip

MAC: tuple[SettingAnswer, ...] = (
    by_hand("AGENT_SOCKET", "", "the agent's health port; `anka-agent status` asks it",
            flags="anka-agent --health-port"),
)  # fmt: skip

ANSWERS: Mapping[str, SettingAnswer] = {name: row for row in (*CONTROLLER, *REGISTRY, *MAC) for name in row.names}
"""By the environment variable."""
