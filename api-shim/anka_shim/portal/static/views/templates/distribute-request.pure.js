// @ts-check
/** What the dialog "Distribute" asks for: as the body of POST /api/v1/registry/vm/distribute, and as a manifest. Pure. */

/** @typedef {{template: string, tag: string, where: "all" | "group" | "nodes", group: string, nodes: ReadonlySet<string>, permissionGroup?: string}} DistributeForm */

/** @param {DistributeForm} form */
export function check(form) {
  /** @type {Partial<Record<keyof DistributeForm, string>>} */
  const errors = {};
  if (!form.template) errors.template = "Choose a template.";
  if (form.where === "group" && !form.group) errors.group = "Choose a group.";
  if (form.where === "nodes" && form.nodes.size === 0) errors.nodes = "Choose at least one Mac.";
  return errors;
}

/** @param {DistributeForm} form @returns {Record<string, any>} */
export function toBody(form) {
  return {
    template_id: form.template,
    ...(form.tag && { tag: form.tag }),
    ...(form.where === "group" && { group_id: form.group }),
    ...(form.where === "nodes" && { node_ids: [...form.nodes].sort() }),
    ...(form.permissionGroup && { group: form.permissionGroup }),
  };
}

/** @param {DistributeForm} form */
export function toManifest(form) {
  return {
    apiVersion: "anka.veertu.com/v1alpha1",
    kind: "TemplateDistribution",
    metadata: { generateName: "distribute-" },
    spec: {
      template: form.template,
      ...(form.tag && { tag: form.tag }),
      ...(form.where === "group" && { group: form.group }),
      ...(form.where === "nodes" && { nodes: [...form.nodes].sort() }),
      ...(form.permissionGroup && { permissionGroup: form.permissionGroup }),
    },
  };
}
