/** Rows of features as tables: one for each version of a model, since versions do not compare. */

import { csvOf, download } from "./csv.js";
import { byId, element } from "./elements.js";
import { counted } from "./numbers.js";
import { reportOf } from "./report-view.js";
import { FIRST_FEATURES, rowOf } from "./row-view.js";

const VERSION_LABELS = ["weights_sha256", "preprocessing_id", "feature_prefix"];

/** Rows of a study that are shown at first, if it has many more. */
const FIRST_ROWS = 10;

const shortOf = (digest) => String(digest).slice(0, 8);

/** Return what makes rows comparable: those of one key belong in one table. */
const versionOf = (answer) => JSON.stringify(VERSION_LABELS.map((label) => answer.rows[0][label]));

/** The results of all studies that are done. */
export class Results {
  #groups = new Map();

  /** Show the answers of the studies, in their order; what is shown already stays as it is. */
  show(studies) {
    const done = studies.filter(({ answer }) => answer?.rows.length);
    const versions = Map.groupBy ? Map.groupBy(done, (study) => versionOf(study.answer)) : groupBy(done);
    for (const [version, group] of this.#groups) {
      if (versions.has(version)) continue;
      group.section.remove();
      this.#groups.delete(version);
    }
    for (const [version, members] of versions) this.#group(version, members[0].answer).show(members);
    byId("results").hidden = !done.length;
    byId("mixed").replaceChildren(...(versions.size > 1 ? [mixedNotice(versions.size)] : []));
  }

  #group(version, answer) {
    if (!this.#groups.has(version)) {
      const group = new Group(answer);
      this.#groups.set(version, group);
      byId("groups").append(group.section);
    }
    return this.#groups.get(version);
  }
}

function groupBy(studies) {
  const groups = new Map();
  for (const study of studies) {
    const version = versionOf(study.answer);
    groups.set(version, [...(groups.get(version) ?? []), study]);
  }
  return groups;
}

function mixedNotice(versions) {
  return element("div", { class: "notice warn" },
    element("strong", {}, "Rows of different weights. "),
    `They come from ${versions} versions of a network or its inputs, and their features cannot be compared: ` +
      "each version has a table and a CSV of its own. For one table, extract all studies with one version.");
}

/** The table of one version, with its CSV. */
class Group {
  #studies = [];
  #bodies = new Map();
  #count = element("span", { class: "facts" });
  #table;

  constructor({ model, rows: [row], feature_names: names }) {
    const title = `${model} · ${row.feature_prefix} · weights ${shortOf(row.weights_sha256)}`;
    const csv = element("button", { type: "button", class: "primary", onclick: () => this.#download() }, "Download CSV");
    const weights = row.weights === "trained" ? null : element("span", { class: "severity exclude" }, `${row.weights} weights`);
    const words = element("div", {}, element("h3", {}, title, weights), this.#count);
    this.#table = element("table", { role: "table", "aria-label": title }, headOf(names));
    this.section = element("div", { class: "card group" },
      element("div", { class: "group-head" }, words, csv),
      element("div", { class: "scroll" }, this.#table));
  }

  show(studies) {
    this.#studies = studies;
    const rows = studies.reduce((sum, { answer }) => sum + answer.rows.length, 0);
    const { feature_names: names } = studies[0].answer;
    this.#count.textContent =
      `${counted(rows, "row")} of ${counted(studies.length, "study", "studies")}, ` +
      `${names.length} features each; the table shows the first ones, the CSV has all.`;
    for (const [study, { answer, bodies }] of this.#bodies) {
      if (studies.includes(study) && study.answer === answer) continue;
      bodies.forEach((body) => body.remove());
      this.#bodies.delete(study);
    }
    let last = this.#table.tHead;
    for (const study of studies) {
      const bodies = this.#bodiesOf(study);
      if (last.nextElementSibling !== bodies[0]) last.after(...bodies);
      last = bodies.at(-1);
    }
  }

  #bodiesOf(study) {
    if (!this.#bodies.has(study)) {
      this.#bodies.set(study, { answer: study.answer, bodies: [bodyOf(study)] });
    }
    return this.#bodies.get(study).bodies;
  }

  #download() {
    const { feature_prefix: prefix, weights_sha256: weights } = this.#studies[0].answer.rows[0];
    const name = `features-${prefix}-${shortOf(weights)}.csv`.replaceAll(/[^\w.-]/g, "_");
    download(csvOf(this.#studies.map(({ answer }) => answer)), name);
  }
}

function headOf(names) {
  const heads = ["What the network saw", "Patient", "Modality", "Region", ...names.slice(0, FIRST_FEATURES), "Quality"];
  const cells = heads.map((text) => element("th", { scope: "col", role: "columnheader" }, text));
  return element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, ...cells));
}

/** Return the rows of a study: its name, its first rows, a button for the others, its report. */
function bodyOf({ source, answer }) {
  const columns = String(5 + Math.min(FIRST_FEATURES, answer.feature_names.length));
  const wide = (tag, ...children) =>
    element("tr", { role: "row", class: "wide" },
      element(tag, { colspan: columns, role: tag === "th" ? "rowheader" : "cell" }, ...children));
  const first = answer.rows.length > FIRST_ROWS + 2 ? FIRST_ROWS : answer.rows.length;
  const rows = answer.rows.slice(0, first).map((_, index) => rowOf(answer, index));
  const body = element("tbody", { role: "rowgroup" },
    wide("th", source.name, " ", element("span", { class: "facts" }, counted(answer.rows.length, "row"))),
    ...rows);
  if (first < answer.rows.length) {
    const more = wide("td", element("button", { type: "button", onclick: () => {
      const others = answer.rows.slice(first).map((_, index) => rowOf(answer, first + index));
      more.replaceWith(...others);
      others[0].querySelector("button, summary")?.focus();
    } }, `Show the other ${answer.rows.length - first} rows`));
    body.append(more);
  }
  body.append(wide("td", reportOf(answer.report)));
  return body;
}
