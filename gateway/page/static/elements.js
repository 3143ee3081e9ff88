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
