/** Parts that the views of cohorts share. */

import { element } from "../elements.js";
import { problemParts } from "../problem-view.js";
import { numberText, t } from "../words.js";

/** Say a problem where its view would be, with what helps and a way on. */
export function problemNotice(problem, again) {
  return element("div", { class: "notice warn", role: "alert" }, ...problemParts(problem),
    again ? element("p", { class: "buttons" }, element("button", { type: "button", onclick: again }, t("Try again"))) : null);
}

/** Return a heading with the way back above it. The heading has the focus when the view opens. */
export function heading(title, ...ways) {
  const links = ways.flatMap(([address, text]) => [element("a", { href: address }, text), " › "]);
  return element("div", { class: "view-head" },
    ways.length ? element("nav", { class: "facts", "aria-label": t("Where you are") }, ...links.slice(0, -1)) : null,
    element("h2", { tabindex: "-1" }, title));
}

/** Buttons that turn pages; `go` is called with the offset of the one that is wanted. */
export function pager({ offset, limit, count, total, go }) {
  const button = (text, to, isThere) => element("button", { type: "button", disabled: !isThere, onclick: () => go(to) }, text);
  const range = { from: numberText(offset + 1), to: numberText(offset + count), total: numberText(total) };
  const isLast = total === null ? count < limit : offset + count >= total;
  if (!offset && isLast) return element("p", { class: "facts" }, count ? "" : "");
  return element("div", { class: "pager" },
    element("p", { class: "facts", role: "status" }, total === null ? t("{from} to {to}", range) : t("{from} to {to} of {total}", range)),
    element("span", { class: "buttons" }, button(t("Back"), Math.max(0, offset - limit), offset > 0), button(t("Next"), offset + limit, !isLast)));
}

/** Call a function some time after the last call: while somebody types, nothing is asked. */
export function later(act, ms = 300) {
  let timer;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => act(...values), ms);
  };
}

export function labelled(label, control) {
  return element("label", { class: "field" }, element("span", {}, label), control);
}

export function select(options, chosen, onchange) {
  return element("select", { autocomplete: "off", onchange: ({ target }) => onchange(target.value) },
    ...options.map(([value, text]) => element("option", { value, selected: value === chosen }, text)));
}
