/** Parts that the views of cohorts share. */

import { REMEDIES } from "../codes.js";
import { element } from "../elements.js";
import { numberText, remedyText, t, words } from "../words.js";

/** What helps where the codes are the gateway's own. */
const SOURCE_REMEDIES = {
  source_unreachable: words("Wait a moment and try again. If it stays so, tell whoever runs this service."),
  source_failed: words("Wait a moment and try again. If it stays so, tell whoever runs this service."),
  source_refused: words("Log in again. If it stays so, you may not see these studies any more: ask who shared them."),
  source_empty: words("The study is not there any more, or is not shared with you: choose the studies again."),
  truncated_zip: words("The study came incomplete several times. Try again later."),
  not_registered: words("Open Kheops in your browser and log in there once, then try again."),
  unknown_job: words("It may have been deleted, or its time was over."),
  too_many_jobs: words("Wait for one of your jobs to end, or delete one."),
  too_many_studies: words("Choose fewer studies, and start several jobs."),
  mixed_versions: words("The network was replaced while the job ran. Extract the older studies again."),
};

export function remedyOf(code) {
  return SOURCE_REMEDIES[code] ? t(SOURCE_REMEDIES[code]) : remedyText(code, REMEDIES[code]) ?? "";
}

/** Say a problem where its view would be, with what helps and a way on. */
export function problemNotice(problem, again) {
  const remedy = remedyOf(problem.code);
  return element("div", { class: "notice warn", role: "alert" },
    element("p", {}, `${problem.message} `, element("code", {}, problem.code ?? "")),
    remedy ? element("p", { class: "facts" }, t("What helps: {remedy}", { remedy })) : null,
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
