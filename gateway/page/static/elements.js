/** Elements of the document. Texts are set as texts, so that no name of a patient is read as HTML. */

/**
 * Return an element. Attributes: strings as they are, `true` without a value, null and false not
 * at all, functions as handlers (`onclick`). Children: elements and texts; null is left out.
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export const byId = (id) => document.getElementById(id);

const CONTROLS = "a, button, input, select, summary";

/**
 * Draw a part of the page anew, and leave the focus, the cursor in a text and what is unfolded where they
 * were: somebody may be typing while rows come in.
 */
export function redraw(part, draw) {
  const at = [...part.querySelectorAll(CONTROLS)].indexOf(document.activeElement);
  const { selectionStart: start, selectionEnd: end } = document.activeElement ?? {};
  const unfolded = [...part.querySelectorAll("details")].map(({ open }) => open);
  draw();
  part.querySelectorAll("details").forEach((each, index) => (each.open = unfolded[index] ?? each.open));
  if (at < 0) return;
  const control = part.querySelectorAll(CONTROLS)[at];
  control?.focus({ preventScroll: true });
  if (typeof start === "number") control?.setSelectionRange?.(start, end);
}
