// @ts-check
/** What the boxes and marks of the map mean. */

import { html } from "../../core/html.js";

const BOXES = /** @type {const} */ ([
  ["slot-vm tone-ok", "a VM that runs"],
  ["slot-vm tone-busy", "one that is pulled, starts or ends"],
  ["slot-other", "a VM that is not listed"],
  ["slot-free", "free"],
  ["slot-free slot-held", "kept free for one that waits longer"],
  ["slot-free slot-closed", "not in use, takes no VM now"],
]);

export function legend() {
  return html`<ul class="map-legend" aria-label="Legend">
    ${BOXES.map(([classes, words]) => html`<li><span class="slot ${classes}" aria-hidden="true"></span>${words}</li>`)}
    <li><span class="flag flag-failed">3 failures</span> in the last 24 hours</li>
    <li class="hint">Arrow keys go from Mac to Mac, Enter opens one, o shows it here, x chooses it.</li>
  </ul>`;
}
