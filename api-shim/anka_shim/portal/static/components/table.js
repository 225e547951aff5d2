// @ts-check
/**
 * A table of thousands of rows: only those on screen stand in the document. Sort and columns are in the address.
 *
 * @typedef {import("../core/types").Context} Context
 */
import { cssVars, html, ifDefined, live, nothing, ref, repeat } from "../core/html.js";
import { count, number } from "../core/format.js";
import { parseSort, sorted } from "../core/sort.js";
import { KINDS } from "../core/store.js";
import { looks } from "./looks.js";
import { chooser, shownColumns } from "./table-columns.js";
import { keyDown } from "./table-keys.js";
import { ROW_HEIGHT, selection, tableState } from "./table-state.js";

const WIDTH = "9rem";

/**
 * @template R
 * @param {import("../core/types").TableOptions<R>} options
 */
export function table(options) {
  const { ctx, rows, what = "rows" } = options;
  return looks({
    state: options.state ?? "ready",
    seconds: Math.max(...KINDS.map((kind) => ctx.store.staleSeconds(kind))),
    isEmpty: rows.length === 0,
    what,
    empty: options.empty,
    content: () => filled(options),
  });
}

/**
 * @template R
 * @param {import("../core/types").TableOptions<R>} options
 */
function filled(options) {
  const { id, ctx, rowId, selectable = false, onOpen, actions } = options;
  const state = tableState(ctx, id);
  const columns = shownColumns(options);
  const sort = parseSort(ctx.route.query["sort"] ?? options.sort);
  const by = options.columns.find(({ key, sort: is }) => key === sort?.key && is);
  const rows = sorted(options.rows, by?.sort, sort?.way ?? 1, rowId);
  state.show(rows.map(rowId), listKey(ctx));
  const { start, end, above, below } = state.window();
  const chosen = selection(ctx);
  const selected = selectable ? rows.filter((row) => chosen.has(rowId(row))) : [];
  const active = state.active !== null && state.ids.includes(state.active) ? state.active : state.ids[start];
  const minimum = columns.map(({ width }) => width ?? WIDTH).join(" + ");
  return html`<div class="table" data-table=${id}>
    <div class="table-bar">
      <span class="table-count" aria-live="off">${selected.length
        ? `${number(selected.length)} of ${count(rows.length, "row")} selected`
        : count(rows.length, "row")}</span>
      ${selected.length && actions ? html`<span class="table-actions">${actions(selected)}</span>` : nothing}
      ${chooser(options, state)}
    </div>
    <div class="table-scroll" tabindex="-1" ${ref(state.attach)} @keydown=${keyDown(options, state)} @table-key=${keyDown(options, state)}>
      <table role="grid" aria-label=${options.label} aria-rowcount=${rows.length + 1}
        aria-multiselectable=${ifDefined(selectable ? "true" : undefined)} ${cssVars({ "--least": `calc(${minimum})` })}>
        <colgroup>${selectable ? html`<col class="col-select">` : nothing}${columns.map(
          ({ width }) => html`<col ${cssVars({ "--width": width ?? "auto" })}>`)}</colgroup>
        <thead><tr aria-rowindex="1">
          ${selectable
            ? html`<th class="cell-select" scope="col"><input type="checkbox" aria-label="Select all"
                .checked=${live(selected.length > 0 && selected.length === rows.length)}
                .indeterminate=${live(selected.length > 0 && selected.length < rows.length)}
                @change=${() => selectAll(ctx, rows.map(rowId), selected.length < rows.length)}></th>`
            : nothing}
          ${columns.map((column) => head(options, column, sort))}
        </tr></thead>
        <tbody>
          ${above ? html`<tr class="spacer" aria-hidden="true" ${cssVars({ "--height": `${above}px` })}><td></td></tr>` : nothing}
          ${repeat(rows.slice(start, end), rowId, (row, i) => {
            const key = rowId(row);
            const isSelected = chosen.has(key);
            return html`<tr data-id=${key} aria-rowindex=${start + i + 2} tabindex=${key === active ? 0 : -1}
              class="${options.rowClass?.(row) ?? ""}${onOpen ? " opens" : ""}"
              aria-selected=${ifDefined(selectable ? /** @type {"true" | "false"} */ (String(isSelected)) : undefined)}
              @focus=${() => setActive(state, key)} @click=${(/** @type {MouseEvent} */ event) => clicked(event, options, row)}>
              ${selectable
                ? html`<td class="cell-select"><input type="checkbox" tabindex="-1" aria-label="Select ${key}"
                    .checked=${live(isSelected)} @change=${() => toggle(ctx, key)}></td>`
                : nothing}
              ${columns.map((column) => cell(column, row))}
            </tr>`;
          })}
          ${below ? html`<tr class="spacer" aria-hidden="true" ${cssVars({ "--height": `${below}px` })}><td></td></tr>` : nothing}
        </tbody>
      </table>
    </div>
  </div>`;
}

/** Another sort or filter is another list. @param {Context} ctx */
function listKey(ctx) {
  const { cols: _, ...query } = ctx.route.query;
  return JSON.stringify(query);
}

/** @param {import("./table-state.js").TableState} state @param {string} id */
function setActive(state, id) {
  if (state.active === id) return;
  state.active = id;
  state.update();
}

/**
 * @template R
 * @param {import("../core/types").TableOptions<R>} options
 * @param {import("../core/types").Column<R>} column
 * @param {{key: string, way: 1 | -1} | null} sort
 */
function head({ ctx }, column, sort) {
  const way = sort?.key === column.key ? sort.way : 0;
  const classes = column.num ? "num" : "";
  if (!column.sort) return html`<th scope="col" class=${classes}>${column.label}</th>`;
  const next = way === 1 ? `-${column.key}` : column.key;
  return html`<th scope="col" class=${classes} aria-sort=${way === 0 ? "none" : way === 1 ? "ascending" : "descending"}>
    <button type="button" class="sort" @click=${() => ctx.setQuery({ sort: next })}>${column.label}<span
      class="sort-way" aria-hidden="true">${way === 1 ? "▲" : way === -1 ? "▼" : ""}</span></button></th>`;
}

/**
 * @template R
 * @param {import("../core/types").Column<R>} column
 * @param {R} row
 */
function cell(column, row) {
  const content = column.render(row);
  const isText = typeof content === "string" || typeof content === "number";
  return html`<td class=${column.num ? "num" : ""} title=${ifDefined(isText ? String(content) : undefined)}>${content ?? ""}</td>`;
}

/** @param {Context} ctx @param {string} id */
export function toggle(ctx, id) {
  const chosen = selection(ctx);
  if (!chosen.delete(id)) chosen.add(id);
  ctx.update();
}

/** @param {Context} ctx @param {string[]} ids @param {boolean} isOn */
export function selectAll(ctx, ids, isOn) {
  const chosen = selection(ctx);
  for (const id of ids) {
    if (isOn) chosen.add(id);
    else chosen.delete(id);
  }
  ctx.update();
}

/**
 * @template R
 * @param {MouseEvent} event
 * @param {import("../core/types").TableOptions<R>} options
 * @param {R} row
 */
function clicked(event, { onOpen }, row) {
  const target = /** @type {Element} */ (event.target);
  if (!onOpen || target.closest("a, button, input, select, label, summary")) return;
  if (getSelection()?.toString()) return; // somebody copies a text
  onOpen(row);
}

export { ROW_HEIGHT };
