// @ts-check
/** What the dialog "Create instances" asks for: as the body of POST /api/v1/vm, and as a manifest. Pure. */

/**
 * @typedef {{
 *   template: string, tag: string, group: string, permissionGroup: string, node: string, count: string,
 *   priority: string, name: string, externalId: string, metadata: string, script: string, scriptTimeout: string,
 *   scriptMonitoring: boolean, scriptFailHandler: string, scriptCondition: string, vcpu: string, ram: string,
 *   ports: string,
 * }} StartForm what the fields hold: texts, as people type them
 */

/** @type {Readonly<StartForm>} */
export const EMPTY = Object.freeze({
  template: "", tag: "", group: "", permissionGroup: "", node: "", count: "1", priority: "", name: "", externalId: "",
  metadata: "", script: "", scriptTimeout: "", scriptMonitoring: false, scriptFailHandler: "Stop",
  scriptCondition: "NetworkUp", vcpu: "", ram: "", ports: "",
});

export const CONDITIONS = ["NetworkUp", "Booted"];
export const FAIL_HANDLERS = ["Stop", "Keep", "Delete"];
const SCHEDULED = ["vmid", "tag", "group_id", "group", "node_id", "priority", "vcpu", "vram"];
const NUMBERS = /** @type {const} */ (["priority", "vcpu", "ram", "scriptTimeout"]);

/** @param {string} text */
function filled(text) {
  return text.trim() || undefined;
}

/** undefined for anything but a whole number. @param {string} text */
function toNumber(text) {
  return /^\d{1,9}$/.test(text.trim()) ? Number(text.trim()) : undefined;
}

/** Of its bytes in UTF-8. @param {string} text */
export function toBase64(text) {
  let binary = "";
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** @param {string} text */
function linesOf(text) {
  return text.split("\n").map((line) => line.trim()).filter(Boolean);
}

/** @param {string} word @returns {string | number | boolean} */
function toValue(word) {
  if (word === "true" || word === "false") return word === "true";
  return /^(0|-?[1-9]\d{0,14})$/.test(word) ? Number(word) : word;
}

/** Lines `key=value`. @param {string} text @returns {{values?: Record<string, string | number | boolean>, error?: string}} */
export function readMetadata(text) {
  /** @type {Map<string, string | number | boolean>} */
  const values = new Map();
  for (const line of linesOf(text)) {
    const at = line.indexOf("=");
    const key = line.slice(0, Math.max(at, 0)).trim();
    if (!key) return { error: `"${line}" must be key=value.` };
    values.set(key, toValue(line.slice(at + 1).trim()));
  }
  return values.size ? { values: Object.fromEntries(values) } : {};
}

/** Lines `name guest` or `name guest:host`. @param {string} text @returns {{rules?: {name: string, guest: number, host?: number}[], error?: string}} */
export function readPorts(text) {
  const rules = [];
  for (const line of linesOf(text)) {
    const match = /^([A-Za-z0-9][\w.-]*)\s+(\d{1,5})(?::(\d{1,5}))?$/.exec(line);
    if (!match) return { error: `"${line}" must be a name and a port, such as "ssh 22" or "web 80:10080".` };
    rules.push({ name: String(match[1]), guest: Number(match[2]), ...(match[3] ? { host: Number(match[3]) } : {}) });
  }
  return rules.length ? { rules } : {};
}

/**
 * What is wrong with the fields, by field. What only the API knows, the API says.
 * @param {StartForm} form @returns {Partial<Record<keyof StartForm, string>>}
 */
export function check(form) {
  /** @type {Partial<Record<keyof StartForm, string>>} */
  const errors = {};
  if (!filled(form.template)) errors.template = "Choose a template.";
  if (!toNumber(form.count)) errors.count = "A number from 1.";
  for (const field of NUMBERS) {
    if (filled(form[field]) && !toNumber(form[field])) errors[field] = "A whole number from 1, or nothing.";
  }
  const metadata = readMetadata(form.metadata);
  if (metadata.error) errors.metadata = metadata.error;
  const ports = readPorts(form.ports);
  if (ports.error) errors.ports = ports.error;
  return errors;
}

/** The body of POST /api/v1/vm: only what is given. @param {StartForm} form @returns {Record<string, any>} */
export function toBody(form) {
  const script = filled(form.script) && {
    startup_script: toBase64(form.script),
    startup_script_condition: CONDITIONS.indexOf(form.scriptCondition),
    ...(form.scriptMonitoring && {
      script_monitoring: true,
      script_timeout: toNumber(form.scriptTimeout),
      script_fail_handler: FAIL_HANDLERS.indexOf(form.scriptFailHandler),
    }),
  };
  return given({
    vmid: filled(form.template),
    tag: filled(form.tag),
    count: toNumber(form.count),
    name: filled(form.name),
    external_id: filled(form.externalId),
    group_id: filled(form.group),
    group: filled(form.permissionGroup),
    node_id: filled(form.node),
    priority: toNumber(form.priority),
    vcpu: toNumber(form.vcpu),
    vram: toNumber(form.ram),
    metadata: readMetadata(form.metadata).values,
    port_forwarding_override: readPorts(form.ports).rules?.map((rule) =>
      given({ name: rule.name, guest_port: rule.guest, host_port: rule.host }),
    ),
    ...script,
  });
}

/**
 * The same as an AnkaInstance for `kubectl create`, which makes the names unique.
 * @param {StartForm} form @param {string} namespace @param {string} [templateName]
 */
export function toManifest(form, namespace, templateName) {
  const resources = given({ vcpu: toNumber(form.vcpu), memoryMib: toNumber(form.ram) });
  const script = filled(form.script) && {
    content: toBase64(form.script),
    condition: form.scriptCondition,
    ...(form.scriptMonitoring && {
      monitoring: true,
      timeoutSeconds: toNumber(form.scriptTimeout),
      failHandler: form.scriptFailHandler,
    }),
  };
  return {
    apiVersion: "anka.veertu.com/v1alpha1",
    kind: "AnkaInstance",
    metadata: { generateName: toPrefix(form.name || templateName || form.template), namespace },
    spec: given({
      template: form.template,
      tag: filled(form.tag),
      displayName: filled(form.name),
      externalId: filled(form.externalId),
      metadata: readMetadata(form.metadata).values,
      node: filled(form.node),
      group: filled(form.group),
      permissionGroup: filled(form.permissionGroup),
      priority: toNumber(form.priority),
      startupScript: script || undefined,
      resources: Object.keys(resources).length ? resources : undefined,
      portForwarding: readPorts(form.ports).rules?.map((rule) => ({
        name: rule.name, guestPort: rule.guest, hostPort: rule.host,
      })),
    }),
  };
}

/** What the scheduler looks at, for GET /portal/v1/explain. @param {StartForm} form */
export function toQuery(form) {
  const known = Object.entries(toBody(form)).filter(([key]) => SCHEDULED.includes(key));
  return new URLSearchParams(known.map(([key, value]) => [key, String(value)])).toString();
}

/** The beginning of a name that Kubernetes takes. @param {string} text */
function toPrefix(text) {
  const name = text.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+/, "").slice(0, 40).replace(/-+$/, "");
  return `${name || "instance"}-`;
}

/** @param {Record<string, any>} map */
function given(map) {
  return Object.fromEntries(Object.entries(map).filter(([, value]) => value !== undefined));
}
