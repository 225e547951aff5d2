// @ts-check
import { html, svg } from "../core/html.js";

/** Paths in a box of 16 × 16. @type {Record<string, string>} */
const PATHS = {
  fleet: "M2 2h5v5H2zM9 2h5v5H9zM2 9h5v5H2zM9 9h5v5H9z",
  queue: "M2 4h12M2 8h9M2 12h6",
  instances: "M2 3h12v8H2zM5 14h6M8 11v3",
  nodes: "M3 2h10v4H3zM3 7h10v4H3zM5 4h1M5 9h1M3 13h10",
  templates: "M8 2l6 3-6 3-6-3zM2 8l6 3 6-3M2 11l6 3 6-3",
  groups: "M2 5h5v6H2zM9 5h5v6H9zM4.500 8h7",
  access: "M5 8a3 3 0 1 1 2.800 3H7v2H5v-2H3V9zM11 7v0",
  logs: "M3 2h7l3 3v9H3zM5 7h6M5 9.500h6M5 12h4",
  about: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 7v4M8 5v0",
  chart: "M2 14h12M4 12V8M7 12V4M10 12V6M13 12V9",
  plus: "M8 3v10M3 8h10",
  close: "M4 4l8 8M12 4l-8 8",
  check: "M3 8.500l3 3 7-7",
  copy: "M6 6h8v8H6zM4 10H2V2h8v2",
  columns: "M2 3h12v10H2zM6 3v10M10 3v10",
  search: "M7 3a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM10 10l4 4",
  menu: "M2 4h12M2 8h12M2 12h12",
  help: "M6 6a2 2 0 1 1 3 1.700c-.700.400-1 .800-1 1.600M8 12v0M8 1.500a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13z",
  tasks: "M2 4l1.500 1.500L6 3M2 11l1.500 1.500L6 10M8 4.500h6M8 11.500h6",
  user: "M8 3a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5zM3 14c0-3 2-4.500 5-4.500s5 1.500 5 4.500",
  warn: "M8 2l6.500 12h-13zM8 6.500v3.500M8 12v0",
  terminal: "M2 3h12v10H2zM4.500 6l2 2-2 2M8 10.500h3",
  external: "M6 3H3v10h10v-3M9 3h4v4M13 3L7 9",
  refresh: "M13 8a5 5 0 1 1-1.500-3.500M13 2v3h-3",
  trash: "M3 4h10M6 4V2.500h4V4M4.500 4l.500 9.500h6l.500-9.500",
  edit: "M3 13l1-4 7-7 3 3-7 7z",
  download: "M8 2v8M4.500 7L8 10.500 11.500 7M3 13.500h10",
  play: "M5 3l8 5-8 5z",
  pause: "M5 3v10M11 3v10",
  up: "M4 10l4-4 4 4",
  down: "M4 6l4 4 4-4",
};

/** A sign beside a text: screen readers pass over it. @param {string} name */
export function icon(name) {
  return html`<svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
    ${svg`<path d=${PATHS[name] ?? ""}></path>`}
  </svg>`;
}
