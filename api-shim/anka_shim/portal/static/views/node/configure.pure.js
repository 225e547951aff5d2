// @ts-check
/** The body of `POST /api/v1/node/config` from a form. Pure. */

/** @typedef {{name: string, host: string, mode: string, maxVms: string, vcpus: string, ram: string, logging: string}} ConfigForm */

/**
 * Only what differs; an empty field changes nothing.
 * @param {ConfigForm} before
 * @param {ConfigForm} form
 * @returns {Record<string, string|number|boolean>}
 */
export function configBody(before, form) {
  /** @type {Record<string, string|number|boolean>} */
  const body = {};
  /** @param {keyof ConfigForm} key */
  const isChanged = (key) => form[key] !== "" && form[key] !== before[key];
  if (isChanged("name")) body["name"] = form.name;
  if (isChanged("host")) body["host"] = form.host;
  if (isChanged("mode")) body["capacity_mode"] = form.mode;
  if (isChanged("maxVms")) body["max_vm_count"] = Number(form.maxVms);
  if (isChanged("vcpus")) body["vcpu_override"] = Number(form.vcpus);
  if (isChanged("ram")) body["ram_override"] = Number(form.ram);
  if (isChanged("logging")) body["disable_central_logging"] = form.logging === "off";
  return body;
}
