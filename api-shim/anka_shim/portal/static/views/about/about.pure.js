// @ts-check
/** What runs where, and what does not fit together. Pure. */

/**
 * How many Macs have which version, the most first.
 *
 * @param {readonly (string | undefined)[]} versions
 * @returns {{version: string, count: number}[]}
 */
export function countVersions(versions) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const version of versions) counts.set(version ?? "not reported", (counts.get(version ?? "not reported") ?? 0) + 1);
  return [...counts]
    .map(([version, count]) => ({ version, count }))
    .sort((a, b) => b.count - a.count || (a.version < b.version ? -1 : 1));
}

/**
 * Macs whose agent is not what is wanted of it, or, where nothing is wanted, not what serves this page.
 *
 * @param {readonly import("../../core/types").NodeRow[]} nodes
 * @param {string | undefined} own
 */
export function findSkew(nodes, own) {
  return nodes.filter((node) => node.agentVersion && node.agentVersion !== (node.wantedAgentVersion ?? own));
}

/**
 * What this cloud has turned on, and the setting that turns the rest on.
 *
 * @param {import("../../core/types").Session | null} session
 * @returns {{name: string, isOn: boolean, text: string}[]}
 */
export function listFeatures(session) {
  const on = session?.features ?? {};
  return [
    { name: "Authentication", isOn: session?.authentication ?? false, text: "--enable-auth" },
    { name: "API keys", isOn: Boolean(on.apiKeys), text: "--enable-api-keys" },
    { name: "Permission groups", isOn: Boolean(on.authorization), text: "--enable-authorization" },
    { name: "Resource permissions", isOn: Boolean(on.resourcePermissions), text: "--enable-resource-permissions" },
    { name: "Kubernetes tokens", isOn: Boolean(on.kubernetesTokens), text: "--enable-kubernetes-tokens" },
    { name: "Login at a provider", isOn: Boolean(on.oidc), text: "--oidc-client-secret-file" },
    { name: "MAC addresses", isOn: Boolean(on.macPools), text: "--manage-mac-addresses" },
    { name: "Event log", isOn: Boolean(on.eventLog), text: "--registry-url" },
  ];
}
