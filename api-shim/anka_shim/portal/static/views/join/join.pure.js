// @ts-check
/** How a Mac joins, in lines for terminals, and whether it is well once it is there. Pure. */

/** @typedef {import("../../core/types").NodeRow} NodeRow */

/**
 * What is wrong with the name of an AnkaNode; "" if nothing.
 * @param {string} name
 */
export function nameProblem(name) {
  if (!name) return "Give the Mac a name.";
  if (name.length > 248) return "The name must have at most 248 characters.";
  if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(name)) {
    return "The name must be small letters, digits, '-' and '.', with a letter or digit at both ends.";
  }
  return "";
}

/**
 * A host name as people call a Mac, made a name that Kubernetes takes.
 * @param {string} words
 */
export const toName = (words) =>
  words
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, "-")
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, "");

/**
 * Who has kubectl makes the token; the Mac gets the last line.
 * @param {string} name
 * @param {readonly string[]} groups names
 * @returns {{kubectl: string[], mac: string[]}}
 */
export function joinByHand(name, groups) {
  const more = groups.length ? ` --groups ${groups.map(quote).join(",")}` : "";
  return {
    kubectl: [
      `kubectl create serviceaccount ${name} --namespace anka-joining`,
      ...(groups.length
        ? [
            `kubectl create role ${name} --namespace anka-joining --verb join --resource nodegroups.anka.veertu.com${groups.map((group) => ` --resource-name ${quote(group)}`).join("")}`,
            `kubectl create rolebinding ${name} --namespace anka-joining --role ${name} --serviceaccount anka-joining:${name}`,
          ]
        : []),
      `TOKEN=$(kubectl create token ${name} --namespace anka-joining --duration 1h)`,
      "SERVER=$(kubectl config view --minify --raw -o jsonpath='{.clusters[0].cluster.server}')",
      "CA=$(kubectl config view --minify --raw -o jsonpath='{.clusters[0].cluster.certificate-authority-data}')",
      `echo "sudo anka-agent join $SERVER --token $TOKEN --ca-data $CA --node-id ${name}${more}"`,
    ],
    mac: ["sudo sh install.sh anka_cloud-VERSION-py3-none-any.whl"],
  };
}

/** @param {string} text */
const quote = (text) => (/^[\w.-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** @typedef {{title: string, state: "ok"|"bad"|"wait", text: string}} Check */

/**
 * What `anka-agent doctor` would look at, as far as the cluster sees it.
 * @param {NodeRow|undefined} node
 * @param {number} now
 * @returns {Check[]}
 */
export function checksOf(node, now) {
  if (!node) return [{ title: "joined", state: "wait", text: "waiting for its first report" }];
  const { anka, disk } = node;
  const beat = node.heartbeatAt ? now - Date.parse(node.heartbeatAt) : null;
  const left = disk?.sizeBytes ? Math.round((100 * (disk.freeBytes ?? 0)) / disk.sizeBytes) : null;
  const reserved = node.reservePercent ?? 0;
  const bad = (node.conditions ?? []).filter(({ type, status }) => status === "True" && type !== "Ready");
  return [
    { title: "joined", state: "ok", text: `as ${node.id}` },
    {
      title: "heartbeat",
      state: beat === null ? "wait" : beat < 60_000 ? "ok" : "bad",
      text: beat === null ? "none yet" : `${Math.max(0, Math.round(beat / 1000))} s ago`,
    },
    { title: "anka", state: anka?.version ? "ok" : "wait", text: anka?.version ? `version ${anka.version}` : "not reported yet" },
    {
      title: "licence",
      state: !anka?.licenseStatus ? "wait" : anka.licenseStatus === "valid" ? "ok" : "bad",
      text: [anka?.license, anka?.licenseStatus, anka?.expires ? `expires ${anka.expires}` : ""].filter(Boolean).join(", ") || "not reported yet",
    },
    {
      title: "disk",
      state: left === null ? "wait" : left > reserved ? "ok" : "bad",
      text: left === null ? "not reported yet" : `${left} % free${left > reserved ? "" : `: pulls leave ${reserved} % free`}`,
    },
    ...bad.map(({ type, message }) => /** @type {Check} */ ({ title: type, state: "bad", text: message ?? "" })),
    {
      title: "takes VMs",
      state: node.state === "Active" ? "ok" : node.state ? "bad" : "wait",
      text: node.state === "Active" ? "Active" : [node.state ?? "no state yet", node.problem].filter(Boolean).join(": "),
    },
  ];
}
