// Roving focus: a list has one place in the tab order, arrow keys move within it.

const STEPS = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };

/** Moves the focus among the elements of a list; `onMove` gets the index of the new one. */
export function moveFocus(event, list, selector, onMove) {
  const step = STEPS[event.key];
  if (step === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
  const all = [...list.querySelectorAll(selector)];
  const from = all.indexOf(document.activeElement);
  if (from < 0) return;
  event.preventDefault();
  const to = Math.max(0, Math.min(all.length - 1, from + step));
  onMove?.(to);
  all[to].focus();
}

/** Where a step of the keyboard leads from an index in a list of that length; null for none. */
export function stepFrom(key, index, length, page) {
  const step = { ...STEPS, PageDown: page, PageUp: -page }[key];
  return step === undefined ? null : Math.max(0, Math.min(length - 1, index + step));
}
