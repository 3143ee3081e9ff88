/** Rows as points: the first principal components of their features, coloured by a column. */

import { element } from "../elements.js";
import { problemText } from "../problem-view.js";
import { counted, numberText, t } from "../words.js";
import { FIRST, GROUP, choosable, regionText } from "./columns.js";
import { firstColour, paletteOf } from "./palette.js";
import { PointField } from "./point-field.js";
import { openRow, pictureOf } from "./row-view.js";

const LEAST_ROWS = 3;

const PLANES = [[0, 1], [0, 2], [1, 2]];

/** The scatter plot of the rows that are shown. `project` gives their scores, by the service. */
export class Scatter {
  #chosen;
  #project;
  #projected = null;
  #asked = "";
  #plane = PLANES[0];
  #colour = "";
  #field;
  #note = element("p", { class: "facts", role: "status" });
  #controls = element("div", { class: "filters" });
  #legend = element("div", { class: "legend" });
  #card = element("div", { class: "point-card", "aria-live": "polite" });

  constructor(chosen, { project, onGoTo }) {
    this.#chosen = chosen;
    this.#project = project;
    this.#field = new PointField({
      onPoint: (index) => this.#showCard(index),
      onOpen: (index) => openRow(this.#entries, index),
      onSelect: (indices, isAdded) => chosen.select(indices.map((index) => this.#entries[index].key), { isAdded }),
    });
    this.#card.addEventListener("click", ({ target }) => target.dataset.key && onGoTo(target.dataset.key));
    this.element = element("div", { class: "plot" }, this.#controls, this.#legend,
      element("div", { class: "scatter-sides" }, element("div", {}, this.#field.element, this.#note), this.#card));
    chosen.listen((what) => (what === "selection" ? this.#draw() : this.show()));
  }

  get #entries() {
    return this.#projected?.entries ?? [];
  }

  /** Ask for the scores of the rows, if it can be seen and they are others than before. */
  async show() {
    if (!this.element.clientWidth) return;
    const { shown } = this.#chosen;
    const asked = [...shown.map(({ key }) => key)].sort().join("\n");
    if (asked === this.#asked) {
      this.#draw();
      return;
    }
    this.#asked = asked;
    this.#projected = null;
    this.#draw();
    if (shown.length < LEAST_ROWS) {
      this.#note.textContent = t("Components need three rows or more.");
      return;
    }
    this.#note.textContent = t("Components are computed …");
    try {
      const { scores, explained } = await this.#project(shown.map(({ features }) => ({ features })));
      if (asked !== this.#asked) return;
      this.#projected = { entries: shown, scores, explained };
      this.#draw();
    } catch (problem) {
      if (asked !== this.#asked) return;
      this.#asked = "";
      this.#note.textContent = t("Components cannot be computed: {sentence}", { sentence: problemText(problem) });
    }
  }

  relabel() {
    this.#showCard(-1);
    this.#draw();
  }

  #draw() {
    const projected = this.#projected;
    this.element.classList.toggle("empty", !projected);
    if (!projected) {
      this.#controls.replaceChildren();
      this.#legend.replaceChildren();
      this.#card.replaceChildren();
      this.#field.show({ points: [], names: ["", ""] });
      return;
    }
    const { entries, scores, explained } = projected;
    const columns = [...FIRST, GROUP, ...choosable(entries)];
    const column = columns.find(({ id }) => id === this.#colour) ?? firstColour(entries, columns);
    const { colourOf, shapeOf, legend } = paletteOf(entries, column);
    const name = (component) => t("Component {n} ({share} %)", { n: component + 1, share: numberText(100 * (explained[component] ?? 0), 3) });
    const planes = PLANES.filter((plane) => plane.every((component) => component < (scores[0]?.length ?? 0)));
    this.#showControls(columns, column, planes);
    this.#legend.replaceChildren(...legend);
    if (!this.#card.children.length) this.#showCard(-1);
    const [x, y] = this.#plane;
    this.#field.show({
      names: [name(x), name(y)],
      points: entries.map((entry, at) => ({
        x: scores[at][x], y: scores[at][y] ?? 0, colour: colourOf(entry), shape: shapeOf(entry),
        isSelected: this.#chosen.selected.has(entry.key), label: labelOf(entry),
      })),
      label: t("Scatter plot of {rows}. Left and right arrows go from point to point, space selects, shift with an arrow selects on, Enter opens the row.",
        { rows: counted(entries.length, "{n} row", "{n} rows") }),
    });
    this.#note.textContent = t("Drag around points to select them, with shift to add. Features by their mean and standard deviation over the rows shown.");
  }

  #showControls(columns, column, planes) {
    const select = (label, options, onchange) => element("label", { class: "field" }, element("span", {}, label),
      element("select", { autocomplete: "off", onchange }, ...options.map(([value, text, selected]) => element("option", { value, selected }, text))));
    const focused = [...this.#controls.querySelectorAll("select")].indexOf(document.activeElement);
    this.#controls.replaceChildren(
      select(t("Colour"), columns.map((each) => [each.id, t(each.title), each === column]), ({ target }) => {
        this.#colour = target.value;
        this.#draw();
      }),
      select(t("Axes"), planes.map((plane, at) => [String(at), t("Components {a} and {b}", { a: plane[0] + 1, b: plane[1] + 1 }), plane === this.#plane]), ({ target }) => {
        this.#plane = planes[Number(target.value)];
        this.#draw();
      }));
    this.#controls.querySelectorAll("select")[focused]?.focus();
  }

  #showCard(index) {
    const entry = this.#entries[index];
    if (!entry) {
      this.#card.replaceChildren(element("p", { class: "facts" }, t("Point at a dot to see which row it is.")));
      return;
    }
    this.#card.replaceChildren(
      pictureOf(entry),
      element("p", {}, element("strong", {}, entry.row.patient_id), element("br"), `${entry.row.modality}, ${regionText(entry)}`),
      element("p", { class: "buttons" },
        element("button", { type: "button", onclick: () => openRow(this.#entries, index) }, t("Open the row")),
        element("button", { type: "button", "data-key": entry.key }, t("Show it in the table"))));
  }
}

const labelOf = (entry) => [entry.row.patient_id, entry.row.modality, regionText(entry)].filter(Boolean).join(" · ");
