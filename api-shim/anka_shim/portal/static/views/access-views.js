// @ts-check

/** @type {import("../core/types").View[]} */
export const accessViews = [];
