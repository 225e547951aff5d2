// @ts-check
/**
 * Which rows of a list stand in the document. Pure.
 *
 * @param {{total: number, rowHeight: number, scrollTop: number, height: number, overscan?: number}} view
 * @returns {{start: number, end: number, above: number, below: number}} above and below: pixels
 */
export function visibleWindow({ total, rowHeight, scrollTop, height, overscan = 8 }) {
  const first = Math.floor(Math.max(0, scrollTop) / rowHeight);
  const shown = Math.ceil(Math.max(height, rowHeight) / rowHeight) + 1;
  const start = Math.max(0, Math.min(first - overscan, total - shown));
  const end = Math.min(total, Math.max(first, start) + shown + overscan);
  return { start, end, above: start * rowHeight, below: Math.max(0, total - end) * rowHeight };
}

/**
 * Where to scroll so that a row is seen, or null if it is.
 *
 * @param {{index: number, rowHeight: number, scrollTop: number, height: number}} view
 */
export function scrollTo({ index, rowHeight, scrollTop, height }) {
  const top = index * rowHeight;
  if (top < scrollTop) return top;
  if (top + rowHeight > scrollTop + height) return top + rowHeight - height;
  return null;
}
