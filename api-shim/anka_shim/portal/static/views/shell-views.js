// @ts-check
import about from "./about/about.js";

/** @type {import("../core/types").View[]} */
export const shellViews = [about];
