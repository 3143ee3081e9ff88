/** The studies of a job with their states: those that failed first, with what helps. */

import { element, redraw } from "../elements.js";
import { seriesIn } from "../listing.js";
import { sentenceOf } from "../problem.js";
import { TIE, problemParts } from "../problem-view.js";
import { SeriesChoice } from "../series-choice.js";
import { counted, t, words } from "../words.js";
import { labelled, select } from "./parts.js";

const AT_ONCE = 50;

/** In the order of the way of a study. */
export const STATES = {
  waiting: words("waiting"),
  retrieving: words("retrieving"),
  received: words("received"),
  checked: words("checked"),
  decoded: words("decoded"),
  inferred: words("inferred"),
  done: words("done"),
  failed: words("failed"),
  cancelled: words("cancelled"),
  needs_file: words("file needed"),
};

const FIRST = ["failed", "needs_file", "cancelled"];

const KINDS = { done: "done", failed: "failed", needs_file: "failed", waiting: "waiting", cancelled: "cancelled" };

/**
 * Handlers: onRetry(position), onTake(position, series). `nameOf` says what a study is called; `listingOf`
 * returns what lists its series, null where they cannot be listed; `usedOf` those that gave its rows.
 */
export class JobStudies {
  #onRetry;
  #onTake;
  #nameOf;
  #listingOf;
  #usedOf;
  #choices = new Map();
  #opened = new Set();
  #studies = new Map();
  #state = "";
  #shown = AT_ONCE;
  #list = element("ul", { class: "list", "aria-label": t("Studies") });
  #more = element("button", { type: "button", onclick: () => this.#showMore() });
  #filter = element("div", { class: "filters" });

  constructor({ onRetry, onTake, nameOf, listingOf, usedOf }) {
    this.#onRetry = onRetry;
    this.#onTake = onTake;
    this.#nameOf = nameOf;
    this.#listingOf = listingOf;
    this.#usedOf = usedOf;
    this.element = element("div", { class: "job-studies" }, this.#filter, this.#list, this.#more);
  }

  take(studies) {
    this.#studies = new Map(studies.map((study) => [study.position, study]));
    this.#draw();
  }

  /** Take what an event says of one study. */
  change(told) {
    this.#studies.set(told.position, { ...this.#studies.get(told.position), sentence: "", ...told });
    this.#draw();
  }

  /** Draw it anew, as after studies got other names. */
  show() {
    this.#draw();
  }

  #draw() {
    const all = [...this.#studies.values()];
    const states = Object.keys(STATES).filter((state) => all.some((study) => study.state === state));
    if (!states.includes(this.#state)) this.#state = "";
    if (!this.#filter.contains(document.activeElement)) {
      const options = [["", t("all")], ...states.map((state) => [state, t(STATES[state])])];
      this.#filter.replaceChildren(labelled(t("State"), select(options, this.#state, (state) => {
        this.#state = state;
        this.#draw();
      })));
    }
    const wanted = all.filter(({ state }) => !this.#state || state === this.#state);
    const order = ({ state }) => (FIRST.includes(state) ? FIRST.indexOf(state) : FIRST.length);
    const shown = wanted.sort((a, b) => order(a) - order(b) || a.position - b.position).slice(0, this.#shown);
    redraw(this.#list, () => this.#list.replaceChildren(...shown.map((study) => this.#line(study))));
    this.#more.hidden = wanted.length <= shown.length;
    this.#more.textContent = counted(wanted.length - shown.length, "Show {n} more study", "Show {n} more studies");
  }

  #showMore() {
    this.#shown += 4 * AT_ONCE;
    this.#draw();
  }

  #line(study) {
    const { position, state, attempts, code, sentence, rows, study_uid: uid } = study;
    const name = this.#nameOf(study);
    const isAgain = state === "failed" || state === "cancelled";
    const isOpenable = state === "done" && this.#listingOf(study);
    const facts = [state === "done" ? counted(rows, "{n} row", "{n} rows") : "", attempts > 1 ? counted(attempts, "{n} attempt", "{n} attempts") : ""].filter(Boolean);
    return element("li", { class: "study", "data-state": KINDS[state] ?? "working" },
      element("div", { class: "study-head" },
        element("span", { class: "name uid-name" }, name, uid && uid !== name ? element("span", { class: "facts uid" }, ` ${uid}`) : null),
        element("span", { class: "facts" }, facts.join(" · ")),
        element("span", { class: "word" }, t(STATES[state])),
        isAgain ? this.#button(t("Try again"), name, { onclick: () => this.#onRetry(position) }) : null,
        isOpenable ? this.#button(t("Series"), name, { "aria-expanded": String(this.#opened.has(position)), onclick: () => this.#toggle(position) }) : null),
      code ? problemOf(code, sentence) : null,
      this.#choiceOf(study));
  }

  #button(text, name, attributes) {
    return element("span", { class: "buttons" }, element("button", { type: "button", "aria-label": `${text}: ${name}`, ...attributes }, text));
  }

  #toggle(position) {
    if (!this.#opened.delete(position)) this.#opened.add(position);
    this.#draw();
  }

  /** Its series: of a tie at once, of what is done if somebody wants another one. Kept while others change. */
  #choiceOf(study) {
    const { position, state, code, sentence } = study;
    const isTie = state === "failed" && code === TIE;
    const isOpened = state === "done" && this.#opened.has(position);
    if (!isTie && !isOpened) {
      this.#choices.delete(position);
      return null;
    }
    const of = `${state} ${sentence}`;
    if (this.#choices.get(position)?.of !== of) {
      const choice = new SeriesChoice({
        found: seriesIn(sentence ?? ""),
        load: this.#listingOf(study),
        used: isOpened ? this.#usedOf(position) : [],
        isEager: isOpened,
        take: (series) => {
          this.#opened.delete(position);
          this.#onTake(position, series);
        },
      });
      this.#choices.set(position, { of, element: choice.element });
    }
    return this.#choices.get(position).element;
  }
}

function problemOf(code, sentence) {
  return element("div", { class: "problem" }, ...problemParts({ code, message: sentenceOf(sentence ?? "") }, { isOfJob: true }));
}
