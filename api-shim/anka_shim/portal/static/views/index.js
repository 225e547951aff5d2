// @ts-check
/** All views. Each family has its own list. */
import { accessViews } from "./access-views.js";
import { cloudViews } from "./cloud-views.js";
import { fleetViews } from "./fleet-views.js";
import { instanceViews } from "./instance-views.js";
import { shellViews } from "./shell-views.js";

/** @type {import("../core/types").View[]} */
export const views = [...fleetViews, ...instanceViews, ...accessViews, ...cloudViews, ...shellViews];
