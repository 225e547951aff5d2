// @ts-check
/** What one can do to a Mac, as buttons; what makes no sense now says why. */

import { button } from "../../components/button.js";
import { html } from "../../core/html.js";
import { isDrained } from "../fleet/slots.pure.js";
import { openDistribute } from "../templates/distribute-dialog.js";
import { RIGHTS, drain, remove, resume, updateAgents } from "./actions.js";
import { openConfigure } from "./configure-dialog.js";
import { openGroups } from "./groups-dialog.js";

/**
 * @param {import("../../core/types").Context} ctx
 * @param {import("../../core/types").NodeRow} node
 */
export function nodeButtons(ctx, node) {
  const right = RIGHTS.configure;
  const isOffline = (node.state ?? "Offline") === "Offline";
  return html`${isDrained(node)
      ? button({ ctx, label: "Resume", icon: "play", right, run: () => void resume(ctx, [node]) })
      : button({ ctx, label: "Drain", icon: "pause", right, run: () => void drain(ctx, [node]) })}
    ${button({ ctx, label: "Configure…", icon: "edit", right, run: () => openConfigure(ctx, [node]) })}
    ${button({ ctx, label: "Groups…", icon: "groups", right: RIGHTS.join, run: () => openGroups(ctx, [node]) })}
    ${button({ ctx, label: "Distribute…", icon: "templates", right: "registry_distribute", run: () => openDistribute(ctx, { nodes: [node.id] }) })}
    ${button({ ctx, label: "Update agent…", icon: "refresh", right, run: () => updateAgents(ctx, [node]) })}
    ${button({ ctx, label: "Delete…", icon: "trash", danger: true, right: RIGHTS.remove, run: () => remove(ctx, [node]),
      disabled: !isOffline, why: "Only a Mac that is Offline can be deleted: drain it, and let it leave by anka-agent disjoin." })}`;
}
