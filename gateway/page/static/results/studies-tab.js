/** What became of each study: its rows, its report, and why it has none. */

import { element } from "../elements.js";
import { sentenceOf } from "../problem.js";
import { problemParts } from "../problem-view.js";
import { reportOf } from "../report-view.js";
import { counted } from "../words.js";

const AT_ONCE = 100;

export class StudiesTab {
  #answers = [];
  #list = element("ul", { class: "plain-list" });
  #more = element("button", { type: "button", onclick: () => this.#add() });

  constructor() {
    this.element = element("div", { class: "studies-tab" }, this.#list, this.#more);
  }

  show(answers) {
    this.#answers = answers;
    this.#list.replaceChildren();
    this.#add();
  }

  #add() {
    const from = this.#list.children.length;
    this.#list.append(...this.#answers.slice(from, from + AT_ONCE).map(lineOf));
    const left = this.#answers.length - this.#list.children.length;
    this.#more.hidden = left <= 0;
    this.#more.textContent = counted(left, "Show {n} more study", "Show {n} more studies");
  }
}

function lineOf(answer) {
  const { name, rows, report, code, sentence } = answer;
  return element("li", {},
    element("p", {}, element("strong", {}, name), " ", element("span", { class: "facts" }, counted(rows.length, "{n} row", "{n} rows"))),
    ...(code ? problemParts({ code, message: sentenceOf(sentence ?? "") }) : []),
    report?.series ? reportOf(report) : null);
}
