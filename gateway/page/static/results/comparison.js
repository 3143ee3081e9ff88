/** Two runs of the same studies: how far their features are apart, row by row. */

import { post } from "../api.js";
import { element } from "../elements.js";
import { problemParts } from "../problem-view.js";
import { t } from "../words.js";
import { outcomeOf } from "./differences.js";

/** Compares two versions on the page, or one with another run. `answersOf` gives those of a version. */
export class Comparison {
  /** Resolves to other runs, [{key, title, answers}]; `answers` resolves to those of the run. */
  others = null;
  #answersOf;
  #runs = [];
  #otherRuns = [];
  #fields = element("div", { class: "filters" });
  #outcome = element("div", { role: "status" });

  constructor(answersOf) {
    this.#answersOf = answersOf;
    this.element = element("div", { class: "plot" }, this.#fields, this.#outcome);
  }

  /** Offer the versions of the page: {key, title} each. */
  offer(versions) {
    this.#runs = versions.map(({ key, title }) => ({ key, title, answers: async () => this.#answersOf(key) }));
    this.#outcome.replaceChildren();
    this.#draw();
  }

  async show() {
    if (!this.others) return;
    this.#otherRuns = await this.others().catch(() => []);
    this.#draw();
  }

  relabel() {
    this.#outcome.replaceChildren();
    this.#draw();
  }

  #draw() {
    const runs = [...this.#runs, ...this.#otherRuns];
    if (runs.length < 2) {
      this.#fields.replaceChildren(element("p", { class: "facts" },
        t("Nothing to compare with yet: extract the same studies with another network, another version or other options, and both runs can be compared here.")));
      return;
    }
    const select = (label, at) => element("label", { class: "field" }, element("span", {}, label),
      element("select", { autocomplete: "off" }, ...runs.map(({ title }, each) => element("option", { value: String(each), selected: each === at }, title))));
    const sides = [select(t("First run"), 0), select(t("Second run"), 1)];
    const [first, second] = sides.map((side) => side.querySelector("select"));
    this.#fields.replaceChildren(...sides, element("button", { type: "button", class: "primary", onclick: () =>
      this.#compare(runs[Number(first.value)], runs[Number(second.value)]) }, t("Compare")));
  }

  async #compare(first, second) {
    this.#outcome.replaceChildren(element("p", { class: "facts" }, t("Rows are compared …")));
    try {
      const [a, b] = await Promise.all([first.answers(), second.answers()]);
      this.#outcome.replaceChildren(...outcomeOf(await post("/api/comparisons", { first: runOf(a), second: runOf(b) })));
    } catch (problem) {
      this.#outcome.replaceChildren(...problemParts(problem));
    }
  }
}

/** Reports are left out: what became of series is not compared. */
function runOf(answers) {
  const plain = answers.filter(({ rows }) => rows.length).map(({ name, rows }) => ({ name, rows }));
  return { model: answers[0]?.model ?? "", answers: plain };
}
