// @ts-check
/** The only module that names the vendored library and its version. */
export { html, svg, nothing, render, noChange } from "../vendor/lit-html-3.3.3/lit-html.js";
export { repeat } from "../vendor/lit-html-3.3.3/directives/repeat.js";
export { ref, createRef } from "../vendor/lit-html-3.3.3/directives/ref.js";
export { live } from "../vendor/lit-html-3.3.3/directives/live.js";
export { classMap } from "../vendor/lit-html-3.3.3/directives/class-map.js";
export { keyed } from "../vendor/lit-html-3.3.3/directives/keyed.js";
export { guard } from "../vendor/lit-html-3.3.3/directives/guard.js";
export { ifDefined } from "../vendor/lit-html-3.3.3/directives/if-defined.js";
export { cssVars } from "./css-vars.js";
