// @ts-check
/**
 * Keyed rows move in the document when their order changes, and a moved element loses the focus.
 *
 * @param {() => void} draw
 */
export function keepFocus(draw) {
  const before = document.activeElement;
  draw();
  if (!(before instanceof HTMLElement) || before === document.body) return;
  if (before !== document.activeElement && before.isConnected && document.activeElement === document.body) {
    before.focus({ preventScroll: true });
  }
}

/** Does a person write here? Then letters are no shortcuts. @param {EventTarget | null} target */
export function isEditing(target) {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName) ||
      (target instanceof HTMLInputElement && !/^(checkbox|radio|button|submit|range)$/.test(target.type)))
  );
}
