/** What is to be shown: search, choices, exclusions by code, the selection, and columns. */

import { element } from "../elements.js";
import { counted, numberText, t } from "../words.js";
import { ALL } from "./chosen.js";
import { SEVERITY_WORDS, choosable } from "./columns.js";
import { SEVERITIES, codesOf, remarksOf } from "./rows.js";

/** The bar above the views. `onColumns` is told which columns are to be shown. */
export class Filters {
  #chosen;
  #onColumns;
  #columns = new Map();
  #fields = element("div", { class: "filters" });
  #menus = element("div", { class: "menus" });
  #counts = element("p", { class: "counts", role: "status" });
  #codes = menu();
  #columnMenu = menu();

  constructor(chosen, onColumns) {
    this.#chosen = chosen;
    this.#onColumns = onColumns;
    this.element = element("div", { class: "filter-bar" }, this.#fields, this.#menus, this.#counts);
    this.#menus.append(this.#codes.element, this.#columnMenu.element);
    chosen.listen(() => this.#showCounts());
  }

  /** Offer what the entries have; what was chosen before stays so where it can. */
  offer() {
    const { entries, filter } = this.#chosen;
    const valuesOf = (value) => [...new Set(entries.map(value))].sort((a, b) => a.localeCompare(b));
    const search = element("input", { type: "search", autocomplete: "off", spellcheck: "false", value: filter.text,
      oninput: ({ target }) => this.#chosen.filterBy({ text: target.value }) });
    const severities = SEVERITIES.filter((each) => entries.some(({ severity }) => severity === each));
    this.#fields.replaceChildren(
      field(t("Search"), search),
      this.#choice("modality", t("Modality"), valuesOf(({ row }) => row.modality).map((each) => [each, each])),
      this.#choice("region", t("Region"), valuesOf(({ row }) => row.roi).map((each) => [each, each || t("whole volume")])),
      this.#choice("severity", t("Quality"), severities.map((each) => [each, t(SEVERITY_WORDS[each])])));
    this.#offerCodes();
    this.#offerColumns();
    this.#showCounts();
  }

  #choice(name, label, options) {
    const { filter } = this.#chosen;
    if (!options.some(([value]) => value === filter[name])) filter[name] = ALL;
    const all = [[ALL, t("all")], ...options].map(([value, text]) =>
      element("option", { value, selected: value === filter[name] }, text));
    return field(label, element("select", { autocomplete: "off", onchange: ({ target }) => this.#chosen.filterBy({ [name]: target.value }) }, ...all));
  }

  #offerCodes() {
    const codes = [...codesOf(this.#chosen.entries)];
    this.#codes.element.hidden = !codes.length;
    const lines = codes.map(([code, { severity, count }]) => {
      const [{ meaning }] = remarksOf({ quality: [{ code, severity }] });
      return tick({
        isTicked: this.#chosen.excluded.has(code),
        onTick: (isTicked) => this.#chosen.exclude(code, isTicked),
        parts: [
          element("span", { class: "meaning" }, meaning || code, " ", element("code", { class: "facts" }, code)),
          element("span", { class: `severity ${severity}` }, counted(count, "{n} row", "{n} rows")),
        ],
      });
    });
    this.#codes.fill(t("Exclude by quality"), t("Rows with a code that is ticked are in no table, plot or file."), lines);
  }

  #offerColumns() {
    const all = choosable(this.#chosen.entries);
    for (const column of all) {
      if (!this.#columns.has(column.id)) this.#columns.set(column.id, Boolean(column.isShown));
    }
    const tell = () => this.#onColumns(all.filter(({ id }) => this.#columns.get(id)));
    const lines = all.map(({ id, title }) => tick({
      isTicked: this.#columns.get(id),
      onTick: (isTicked) => {
        this.#columns.set(id, isTicked);
        tell();
      },
      parts: [t(title)],
    }));
    this.#columnMenu.element.hidden = !all.length;
    this.#columnMenu.fill(t("Columns"), t("Size and acquisition, for confounders and harmonisation."), lines);
    tell();
  }

  #showCounts() {
    const { entries, kept, shown, selected, filter } = this.#chosen;
    const parts = [
      t("{n} of {all} rows shown", { n: numberText(shown.length), all: numberText(entries.length) }),
      kept.length < entries.length ? counted(entries.length - kept.length, "{n} excluded", "{n} excluded") : "",
      selected.size ? counted(selected.size, "{n} selected", "{n} selected") : "",
    ];
    const button = (text, onclick, isPressed = null) =>
      element("button", { type: "button", class: "small-button", "aria-pressed": isPressed, onclick }, text);
    const buttons = selected.size ? [
      button(t("Only selected rows"), () => this.#chosen.filterBy({ isSelected: !filter.isSelected }), String(filter.isSelected)),
      button(t("Clear selection"), () => this.#chosen.select([])),
    ] : [];
    this.#counts.replaceChildren(parts.filter(Boolean).join(" · "), " ", ...buttons);
  }
}

function field(label, control) {
  return element("label", { class: "field" }, element("span", {}, label), control);
}

function tick({ isTicked, onTick, parts }) {
  const box = element("input", { type: "checkbox", checked: isTicked, autocomplete: "off", onchange: ({ target }) => onTick(target.checked) });
  return element("label", { class: "tick-line" }, box, ...parts);
}

/** A menu that opens below its button. */
function menu() {
  const summary = element("summary", { class: "button" });
  const body = element("div", { class: "menu-body" });
  const made = element("details", { class: "menu", name: "results-menu", onkeydown: ({ key }) => {
    if (key !== "Escape" || !made.open) return;
    made.open = false;
    summary.focus();
  } }, summary, body);
  const fill = (title, note, lines) => {
    summary.textContent = title;
    body.replaceChildren(element("p", { class: "facts small" }, note), ...lines);
  };
  return { element: made, fill };
}
