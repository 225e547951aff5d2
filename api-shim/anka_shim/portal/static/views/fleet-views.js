// @ts-check
/** The views about Macs: what they are, what they do, and what waits for them. */

import fleet from "./fleet/fleet.js";
import groups from "./group/groups.js";
import join from "./join/join.js";
import node from "./node/node.js";
import nodes from "./node/nodes.js";
import queue from "./queue/queue.js";
import utilisation from "./use/utilisation.js";

/** @type {import("../core/types").View[]} */
export const fleetViews = [fleet, queue, nodes, node, groups, utilisation, join];
