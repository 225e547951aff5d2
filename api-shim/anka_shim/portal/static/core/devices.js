// @ts-check
/**
 * USB devices and VLANs, of the rows of Macs and instances. Pure.
 *
 * @typedef {import("./types").NodeRow} NodeRow
 * @typedef {import("./types").InstanceRow} InstanceRow
 * @typedef {{id: string, node: NodeRow, location: string, name: string, group: string, holder: InstanceRow | null,
 *   state: "free" | "claimed" | "in use on the Mac" | "Mac offline"}} Device
 * @typedef {{id: string, nodes: NodeRow[], instances: InstanceRow[]}} Vlan
 */

/** Phases in which an instance has no place on a Mac. */
const ENDED = new Set(["Error", "Stopped", "Terminated"]);

/** @param {InstanceRow} instance */
function isThere(instance) {
  return Boolean(instance.node) && !ENDED.has(instance.phase);
}

/** @param {NodeRow[]} nodes @param {InstanceRow[]} instances @returns {Device[]} */
export function listDevices(nodes, instances) {
  const holders = new Map(
    instances.filter((i) => i.usbDevice && isThere(i)).map((i) => [`${i.node}/${i.usbDevice}`, i]),
  );
  return nodes.flatMap((node) =>
    (node.usb ?? []).map((device) => {
      const location = device.location ?? "";
      const holder = holders.get(`${node.id}/${location}`) ?? holders.get(`${node.id}/${device.group}`) ?? null;
      const state = node.state === "Offline" ? "Mac offline" : holder ? "claimed" : device.available === false ? "in use on the Mac" : "free";
      return {
        id: `${node.id}/${location}`, node, location, name: device.name ?? "", group: device.group ?? "", holder,
        state: /** @type {Device["state"]} */ (state),
      };
    }),
  );
}

/** By the name that instances claim them by: the group, or the location of a device without. @param {Device[]} devices */
export function countDevices(devices) {
  /** @type {Map<string, {name: string, free: number, busy: number}>} */
  const groups = new Map();
  for (const device of devices) {
    if (device.state === "Mac offline") continue;
    const name = device.group || device.location;
    const counts = groups.get(name) ?? { name, free: 0, busy: 0 };
    if (device.state === "free") counts.free += 1;
    else counts.busy += 1;
    groups.set(name, counts);
  }
  return [...groups.values()].sort((a, b) => a.name.localeCompare(b.name));
}

/** @param {NodeRow[]} nodes @param {InstanceRow[]} instances @returns {Vlan[]} */
export function listVlans(nodes, instances) {
  /** @type {Map<string, Vlan>} */
  const vlans = new Map();
  /** @param {string} id */
  const find = (id) => {
    const vlan = vlans.get(id) ?? { id, nodes: [], instances: [] };
    vlans.set(id, vlan);
    return vlan;
  };
  for (const node of nodes) for (const id of node.vlans ?? []) find(id).nodes.push(node);
  for (const instance of instances) if (instance.vlan && isThere(instance)) find(instance.vlan).instances.push(instance);
  return [...vlans.values()].sort((a, b) => a.id.localeCompare(b.id, undefined, { numeric: true }));
}
