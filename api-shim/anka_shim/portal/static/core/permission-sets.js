// @ts-check
/** Sets of permissions that the old controller recommends, and drafts of a group. Pure. */

/**
 * The first is of the old controller's documentation, with `registry_list`, which every plugin needs; the others are the
 * round buttons of its panel.
 *
 * @type {readonly {name: string, title: string, ids: readonly string[]}[]}
 */
export const RECOMMENDED = [
  {
    name: "CI plugins", title: "What plugins of CI systems need",
    ids: [
      "get_groups", "get_registry_disk_info", "list_images", "list_nodes", "list_vms", "registry_list", "save_image",
      "start_vm", "terminate_vm", "update_vm", "view_logs",
    ],
  },
  {
    name: "Other programs", title: "Programs that use the whole API, but change no Mac",
    ids: [
      "list_vms", "start_vm", "update_vm", "terminate_vm", "list_nodes", "save_image", "list_images", "registry_distribute",
      "registry_distribute_status", "add_node_to_group", "remove_group_from_node", "create_group", "get_groups",
      "update_group", "delete_group", "registry_list", "registry_delete", "get_registry_disk_info", "get_registry_files",
      "view_logs",
    ],
  },
  { name: "Viewers", title: "See everything, change nothing",
    ids: [
      "list_vms", "list_nodes", "registry_distribute_status", "get_groups", "list_images", "registry_list",
      "get_registry_disk_info", "view_logs",
    ] },
];

/** @param {Iterable<string>} before @param {Iterable<string>} now */
export function isChanged(before, now) {
  const known = new Set(before);
  const other = new Set(now);
  return known.size !== other.size || [...known].some((id) => !other.has(id));
}

/**
 * @typedef {{id: string, label: string, description: string, category: string}} Permission
 * @param {Permission[]} permissions
 * @returns {{category: string, permissions: Permission[]}[]} in the order of the API
 */
export function byCategory(permissions) {
  /** @type {Map<string, Permission[]>} */
  const found = new Map();
  for (const permission of permissions) {
    const list = found.get(permission.category) ?? [];
    list.push(permission);
    found.set(permission.category, list);
  }
  return [...found].map(([category, list]) => ({ category, permissions: list }));
}

/** All of a category, or none. @param {Set<string>} draft @param {string[]} ids @param {boolean} isOn */
export function setAll(draft, ids, isOn) {
  for (const id of ids) {
    if (isOn) draft.add(id);
    else draft.delete(id);
  }
}

/**
 * What changed in a list of resources, by type and id.
 *
 * @typedef {{type: string, id: string, permissions: string[]}} Resource
 * @param {Resource[]} before
 * @param {Resource[]} now
 */
export function areResourcesChanged(before, now) {
  /** @param {Resource[]} list */
  const keys = (list) => list.map(({ type, id, permissions }) => `${type}/${id}:${[...permissions].sort().join(",")}`);
  return isChanged(keys(before), keys(now));
}

/** The private key as a file that openssl reads. @param {string} base64 PKCS#1 DER */
export function toPem(base64) {
  const lines = base64.match(/.{1,64}/g) ?? [];
  return ["-----BEGIN RSA PRIVATE KEY-----", ...lines, "-----END RSA PRIVATE KEY-----", ""].join("\n");
}
