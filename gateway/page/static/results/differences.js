/** What the service says of two runs, as words and a table. */

import { element } from "../elements.js";
import { counted, numberText, t, words } from "../words.js";

/** The worst first. */
const VERDICTS = [
  ["not_comparable", "exclude", words("different numbers of features")],
  ["other_version", "exclude", words("other weights or preprocessing: other quantities")],
  ["differs", "warn", words("differ by more than across machines")],
  ["within_tolerance", "info", words("differ as across machines")],
  ["identical", "info", words("the same, bit for bit")],
];

const MOST_ROWS = 500;

const HEADS = [
  words("Patient"), words("Region"), words("Verdict"), words("Relative L2"), words("Largest difference"),
  words("by the SD between patients"), words("What else changed"),
];

/** Return elements that show a comparison, rows that differ most first. */
export function outcomeOf({ rows, counts, changed, only_first: first, only_second: second }) {
  const rank = ({ verdict }) => VERDICTS.findIndex(([name]) => name === verdict);
  const ordered = [...rows].sort((a, b) => rank(a) - rank(b) || (b.relative_l2 ?? 0) - (a.relative_l2 ?? 0));
  return [
    element("p", {}, summaryOf(rows, first, second)),
    element("ul", { class: "plain-list" }, ...VERDICTS.filter(([name]) => counts[name]).map((verdict) =>
      element("li", {}, badge(verdict), " ", counted(counts[verdict[0]], "{n} row", "{n} rows")))),
    changed.length ? element("p", { class: "facts" }, t("The runs differ in: {labels}.", { labels: changed.join(", ") })) : null,
    rows.length ? tableOf(ordered.slice(0, MOST_ROWS)) : null,
    rows.length > MOST_ROWS ? element("p", { class: "facts" }, t("The table has the {n} rows that differ most.", { n: numberText(MOST_ROWS) })) : null,
  ].filter(Boolean);
}

function summaryOf(rows, first, second) {
  return [
    counted(rows.length, "{n} row is in both runs", "{n} rows are in both runs"),
    first.length ? counted(first.length, "{n} is in the first alone", "{n} are in the first alone") : "",
    second.length ? counted(second.length, "{n} is in the second alone", "{n} are in the second alone") : "",
  ].filter(Boolean).join(" · ");
}

function badge([, severity, text]) {
  return element("span", { class: `severity ${severity}` }, t(text));
}

function tableOf(rows) {
  const head = element("tr", {}, ...HEADS.map((title) => element("th", { scope: "col" }, t(title))));
  return element("div", { class: "wide-table", tabindex: "0", role: "region", "aria-label": t("Differences") },
    element("table", { class: "differences" }, element("thead", {}, head), element("tbody", {}, ...rows.map(lineOf))));
}

function lineOf({ patient_id: patient, roi, verdict, relative_l2: distance, largest_difference: largest, feature, difference_by_sd: bySd, changed }) {
  const number = (text) => element("td", { class: "number" }, text);
  return element("tr", {},
    element("th", { scope: "row" }, patient),
    element("td", {}, roi || t("whole volume")),
    element("td", {}, badge(VERDICTS.find(([name]) => name === verdict) ?? [verdict, "warn", verdict])),
    number(small(distance)),
    number(largest === null ? "" : `${small(largest)} (${feature})`),
    number(small(bySd)),
    element("td", { class: "facts" }, changed.join(", ")));
}

const small = (value) => (value === null ? "" : value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(1) : numberText(value, 3));
