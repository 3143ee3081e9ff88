/** Results: rows of one version of a network at a time, as a table, plots and files. */

import { post } from "../api.js";
import { element } from "../elements.js";
import { counted, t, words } from "../words.js";
import { Chosen } from "./chosen.js";
import { Comparison } from "./comparison.js";
import { Downloads } from "./downloads.js";
import { Filters } from "./filters.js";
import { HeatMap } from "./heat-map.js";
import { entriesOf, versionOf } from "./rows.js";
import { Scatter } from "./scatter.js";
import { StudiesTab } from "./studies-tab.js";
import { Table } from "./table.js";
import { Tabs } from "./tabs.js";

const WEIGHTS = {
  demonstration: words("demonstration weights"),
  untrained: words("untrained weights"),
};

const project = (rows) => post("/api/projections", { rows });

/** The results of some studies. Answers: those of rows.js, with {code, sentence} where there are no rows. */
export class ResultsView {
  #answers = [];
  #version = "";
  #title = "";
  #chosen = new Chosen();
  #table = new Table(this.#chosen);
  #filters = new Filters(this.#chosen, (columns) => this.#table.setColumns(columns));
  #heat = new HeatMap(this.#chosen);
  #scatter = new Scatter(this.#chosen, { project, onGoTo: (key) => this.#goTo(key) });
  #comparison = new Comparison((key) => this.#answers.filter((answer) => answer.version === key));
  #studies = new StudiesTab();
  #downloads = new Downloads(() => this.#exported());
  #head = element("div", { class: "results-title" });
  #mixed = element("div", {});
  #empty = element("p", { class: "facts pad" });
  #tabs;
  #rows;

  /** others: what else can be compared with, a function that resolves to [{title, answers()}]. */
  constructor({ others } = {}) {
    this.#comparison.others = others;
    this.#tabs = new Tabs([
      { title: words("Table"), element: this.#table.element, onShow: () => this.#table.show() },
      { title: words("Heat map"), element: this.#heat.element, onShow: () => this.#heat.show() },
      { title: words("Scatter plot"), element: this.#scatter.element, onShow: () => this.#scatter.show() },
      { title: words("Comparison"), element: this.#comparison.element, onShow: () => this.#comparison.show() },
      { title: words("Studies"), element: this.#studies.element },
    ]);
    this.#rows = element("div", {}, this.#filters.element, this.#tabs.element);
    this.element = element("div", {}, this.#mixed,
      element("div", { class: "card results" },
        element("div", { class: "results-head" }, this.#head, this.#downloads.element), this.#empty, this.#rows));
  }

  /** Show answers; what was chosen, filtered and selected stays so. */
  show(answers, title = "") {
    this.#title = title;
    this.#answers = answers.map((answer) => ({ ...answer, version: answer.rows.length ? versionOf(answer.rows[0]) : "" }));
    const versions = this.#versions;
    if (!versions.includes(this.#version)) this.#version = versions[0] ?? "";
    this.#draw();
  }

  /** Whether rows of several versions are there. */
  get isMixed() {
    return this.#versions.length > 1;
  }

  get #versions() {
    return [...new Set(this.#answers.map(({ version }) => version).filter(Boolean))];
  }

  get #shownAnswers() {
    return this.#answers.filter(({ version }) => version === this.#version && version);
  }

  #draw() {
    const versions = this.#versions;
    const hasRows = versions.length > 0;
    this.#rows.hidden = this.#downloads.element.hidden = !hasRows;
    this.#empty.hidden = hasRows;
    this.#empty.textContent = t("No study has rows yet.");
    this.#head.replaceChildren(...(hasRows ? this.#headParts() : []));
    this.#mixed.replaceChildren(...(versions.length > 1 ? [this.#mixedNotice(versions)] : []));
    this.#chosen.take(entriesOf(this.#shownAnswers));
    this.#filters.offer();
    this.#studies.show(this.#answers);
    this.#comparison.offer(versions.map((key) => ({ key, title: this.#titleOf(key) })));
  }

  /** Say everything again, in another language. */
  relabel() {
    [this.#tabs, this.#downloads, this.#heat, this.#scatter, this.#comparison].forEach((each) => each.relabel());
    this.#draw();
  }

  #titleOf(version) {
    const { model, rows: [row] } = this.#answers.find((answer) => answer.version === version);
    const short = (digest) => String(digest).slice(0, 8);
    return t("{model} · {prefix} · weights {weights} · inputs {inputs}", {
      model, prefix: row.feature_prefix, weights: short(row.weights_sha256), inputs: short(row.preprocessing_id),
    });
  }

  #headParts() {
    const shown = this.#shownAnswers;
    const [{ rows: [row], feature_names: names }] = shown;
    const count = shown.reduce((sum, { rows }) => sum + rows.length, 0);
    const weights = WEIGHTS[row.weights];
    return [
      element("h3", {}, t("{rows} of {studies}, {features} each", {
        rows: counted(count, "{n} row", "{n} rows"),
        studies: counted(shown.length, "{n} study", "{n} studies"),
        features: counted(names.length, "{n} feature", "{n} features"),
      }), weights ? element("span", { class: "severity exclude" }, t(weights)) : null),
      element("p", { class: "facts" }, this.#titleOf(this.#version)),
    ];
  }

  #mixedNotice(versions) {
    const options = versions.map((key) => element("option", { value: key, selected: key === this.#version }, this.#titleOf(key)));
    const select = element("select", { autocomplete: "off", onchange: ({ target }) => {
      this.#version = target.value;
      this.#draw();
      this.#mixed.querySelector("select")?.focus();
    } }, ...options);
    return element("div", { class: "notice warn" },
      element("p", {}, element("strong", {}, t("Rows of different weights.")), " ",
        t("They come from {n} versions of a network or its inputs, and their features do not compare: one version is shown at a time, and has files of its own.", { n: versions.length })),
      element("label", { class: "field version" }, element("span", {}, t("Version shown")), select));
  }

  #goTo(key) {
    this.#tabs.show(0);
    this.#table.goTo(key);
  }

  /** What files are made of: all rows, codes that the service leaves some out by and counts, studies without rows. */
  #exported() {
    const answers = this.#answers.filter(({ version }) => [this.#version, ""].includes(version));
    return {
      kept: this.#chosen.kept.length,
      document: {
        title: this.#title,
        model: this.#shownAnswers[0]?.model ?? "",
        exclude: [...this.#chosen.excluded],
        answers: answers.map(({ name, rows, report = {}, code = "" }) => ({ name, rows, report, code })),
      },
    };
  }
}
