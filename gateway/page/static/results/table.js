/** The table of rows. Thousands of them: only those that can be seen are in the document. */

import { element } from "../elements.js";
import { counted, t } from "../words.js";
import { FIRST, SEVERITY_WORDS, textOf } from "./columns.js";
import { openRow, pictureOf } from "./row-view.js";

/** Rows above and below the window that are drawn too, so that scrolling shows no gaps. */
const AROUND = 6;

const STEPS = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8, Home: -Infinity, End: Infinity };

let tables = 0;

/**
 * A grid by WAI-ARIA: one stop of the tab key, in which arrows go from row to row, space selects
 * and Enter opens. `aria-rowcount` tells a reader of the screen how many rows there are.
 */
export class Table {
  #chosen;
  #columns = [];
  #current = 0;
  #hasPictures = false;
  #drawn = new Map();
  #id = `rows-${(tables += 1)}`;
  #head = element("div", { role: "row", class: "grid-row grid-head", "aria-rowindex": "1" });
  #body = element("div", { role: "rowgroup", class: "grid-body" });
  #grid = element("div", { role: "grid", class: "grid", tabindex: "0", "aria-multiselectable": "true" },
    element("div", { role: "rowgroup", class: "grid-heads" }, this.#head), this.#body);
  #scroller = element("div", { class: "grid-scroll" }, this.#grid);

  constructor(chosen) {
    this.#chosen = chosen;
    this.element = this.#scroller;
    this.#scroller.addEventListener("scroll", () => this.#draw(), { passive: true });
    this.#grid.addEventListener("keydown", (event) => this.#onKey(event));
    this.#grid.addEventListener("click", (event) => this.#onClick(event));
    new ResizeObserver(() => this.#draw()).observe(this.#scroller);
    chosen.listen((what) => (what === "selection" ? this.#mark() : this.show()));
  }

  /** Show these columns after the first ones. */
  setColumns(columns) {
    this.#columns = [...FIRST, ...columns];
    this.show();
  }

  /** Draw everything anew: other rows, another order, other columns. */
  show() {
    const { shown } = this.#chosen;
    this.#current = Math.max(0, Math.min(this.#current, shown.length - 1));
    this.#hasPictures = this.#chosen.entries.some(({ preview }) => preview);
    this.#drawn.forEach(({ line }) => line.remove());
    this.#drawn.clear();
    this.#grid.classList.toggle("without-pictures", !this.#hasPictures);
    const widths = ["2.75rem", ...(this.#hasPictures ? ["11.5rem"] : []), ...this.#columns.map(({ width }) => width)];
    this.#grid.style.setProperty("--columns", widths.join(" "));
    this.#head.replaceChildren(...this.#heads());
    this.#grid.setAttribute("aria-label", counted(shown.length, "Results: {n} row", "Results: {n} rows"));
    this.#grid.setAttribute("aria-rowcount", String(shown.length + 1));
    this.#grid.setAttribute("aria-colcount", String(widths.length));
    this.#body.style.setProperty("--rows", String(shown.length));
    this.#draw();
  }

  /** Go to a row, as after its point was chosen in a plot. */
  goTo(key) {
    const index = this.#chosen.shown.findIndex((entry) => entry.key === key);
    if (index >= 0) this.#goTo(index);
    this.#grid.focus();
  }

  get #rowHeight() {
    return Number.parseFloat(getComputedStyle(this.#body).getPropertyValue("--row")) * rootSize();
  }

  #heads() {
    const { column: sortedBy, isDescending } = this.#chosen.sort;
    const all = this.#columns.map((column) => {
      const isSorted = column.id === sortedBy?.id;
      const order = isDescending ? "descending" : "ascending";
      const sort = element("button", { type: "button", class: "bare sort", onclick: () => this.#sortBy(column) }, t(column.title));
      return element("div", { role: "columnheader", class: column.isNumber ? "cell number" : "cell", "aria-sort": isSorted ? order : "none" }, sort);
    });
    return [
      element("div", { role: "columnheader", class: "cell" }, element("span", { class: "unseen" }, t("Selected"))),
      ...(this.#hasPictures ? [element("div", { role: "columnheader", class: "cell" }, t("What the network saw"))] : []),
      ...all,
    ];
  }

  #sortBy(column) {
    this.#chosen.sortBy(column);
    const at = this.#columns.findIndex(({ id }) => id === column.id);
    this.#head.querySelectorAll("button")[at].focus();
  }

  #draw() {
    const { shown } = this.#chosen;
    const height = this.#rowHeight;
    const first = Math.max(0, Math.floor(this.#scroller.scrollTop / height) - AROUND);
    const last = Math.min(shown.length, first + Math.ceil(this.#scroller.clientHeight / height) + 2 * AROUND);
    for (const [index, { line }] of this.#drawn) {
      if (index >= first && index < last) continue;
      line.remove();
      this.#drawn.delete(index);
    }
    for (let index = first; index < last; index += 1) {
      if (!this.#drawn.has(index)) this.#add(index);
    }
    this.#mark();
  }

  #add(index) {
    const entry = this.#chosen.shown[index];
    const line = this.#lineOf(entry, index);
    const next = [...this.#drawn].filter(([other]) => other > index).sort(([a], [b]) => a - b)[0];
    this.#drawn.set(index, { entry, line });
    this.#body.insertBefore(line, next?.[1].line ?? null);
  }

  #lineOf(entry, index) {
    const line = element("div", { role: "row", class: "grid-row", id: `${this.#id}-${index}`, "aria-rowindex": String(index + 2) },
      element("div", { role: "gridcell", class: "cell choice" }, element("span", { class: "tick", "aria-hidden": "true" })),
      ...(this.#hasPictures ? [element("div", { role: "gridcell", class: "cell picture" }, pictureOf(entry))] : []),
      ...this.#columns.map((column) => cellOf(column, entry)));
    line.style.setProperty("--at", String(index));
    return line;
  }

  #mark() {
    for (const [index, { entry, line }] of this.#drawn) {
      line.setAttribute("aria-selected", String(this.#chosen.selected.has(entry.key)));
      line.classList.toggle("current", index === this.#current);
    }
    const isDrawn = this.#drawn.has(this.#current);
    if (isDrawn) this.#grid.setAttribute("aria-activedescendant", `${this.#id}-${this.#current}`);
    else this.#grid.removeAttribute("aria-activedescendant");
  }

  #goTo(index) {
    this.#current = Math.max(0, Math.min(index, this.#chosen.shown.length - 1));
    const height = this.#rowHeight;
    const top = this.#current * height;
    const visible = this.#scroller.clientHeight - this.#head.offsetHeight;
    const { scrollTop } = this.#scroller;
    if (top < scrollTop) this.#scroller.scrollTop = top;
    else if (top + height > scrollTop + visible) this.#scroller.scrollTop = top + height - visible;
    this.#draw();
  }

  #onKey(event) {
    if (event.target !== this.#grid) return;
    const entry = this.#chosen.shown[this.#current];
    if (event.key in STEPS) this.#goTo(this.#current + STEPS[event.key]);
    else if (event.key === " " && entry) this.#chosen.toggle(entry.key);
    else if (event.key === "Enter" && entry) this.#open(this.#current);
    else return;
    event.preventDefault();
  }

  #onClick(event) {
    const line = event.target.closest(".grid-body .grid-row");
    if (!line) return;
    const [index, { entry }] = [...this.#drawn].find(([, drawn]) => drawn.line === line);
    this.#goTo(index);
    if (event.target.closest(".choice")) this.#chosen.toggle(entry.key);
    else this.#open(index);
  }

  #open(index) {
    openRow(this.#chosen.shown, index, (now) => this.#goTo(now));
  }
}

function cellOf(column, entry) {
  const text = textOf(column, entry);
  const kind = { number: column.isNumber, quality: column.id === "quality" };
  const classes = ["cell", `of-${column.id.split(".")[0]}`, ...Object.keys(kind).filter((name) => kind[name])];
  const parts = column.id === "quality" ? [badge(entry.severity), element("span", { class: "clip" }, text)] : [text];
  return element("div", { role: "gridcell", class: classes.join(" "), "data-label": t(column.title), title: text }, ...parts);
}

function badge(severity) {
  const classes = severity ? `severity ${severity}` : "facts";
  return element("span", { class: classes }, t(SEVERITY_WORDS[severity]));
}

const rootSize = () => Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
