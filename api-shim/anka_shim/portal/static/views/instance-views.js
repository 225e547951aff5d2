// @ts-check
/** Instances, templates, and what makes one of the other. */
import instance from "./instances/page.js";
import instances from "./instances/list.js";
import distributions from "./templates/distributions.js";
import templates from "./templates/list.js";
import matrix from "./templates/matrix.js";
import saves from "./saves/list.js";

/** @type {import("../core/types").View[]} */
export const instanceViews = [instances, instance, templates, matrix, distributions, saves];
