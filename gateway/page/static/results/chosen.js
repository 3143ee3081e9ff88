/** Which rows are shown: filtered, sorted, excluded by code, and which of them are selected. */

import { sorted } from "./columns.js";

export const ALL = "*";

/** What a person has chosen among the rows. Views listen, and draw themselves anew. */
export class Chosen {
  entries = [];
  /** Rows that are not excluded: what files have. */
  kept = [];
  /** Of these, what the filters let through, in the order of the table. */
  shown = [];
  selected = new Set();
  excluded = new Set();
  filter = { text: "", modality: ALL, region: ALL, severity: ALL, isSelected: false };
  sort = { column: null, isDescending: false };
  #listeners = [];

  /** Call a function after each change, with what has changed: rows, order or selection. */
  listen(listener) {
    this.#listeners.push(listener);
  }

  /** Take other rows; what was selected among them stays so. */
  take(entries) {
    this.entries = entries;
    const keys = new Set(entries.map(({ key }) => key));
    this.selected = new Set([...this.selected].filter((key) => keys.has(key)));
    this.#derive("rows");
  }

  filterBy(what) {
    Object.assign(this.filter, what);
    this.#derive("rows");
  }

  /** Sort by a column, or the other way round if it is the one already. */
  sortBy(column) {
    const isSame = this.sort.column?.id === column.id;
    this.sort = { column, isDescending: isSame && !this.sort.isDescending };
    this.#derive("order");
  }

  exclude(code, isExcluded) {
    if (isExcluded) this.excluded.add(code);
    else this.excluded.delete(code);
    this.#derive("rows");
  }

  /** Select rows by their keys; `isAdded`: beside those that are. */
  select(keys, { isAdded = false } = {}) {
    this.selected = new Set(isAdded ? [...this.selected, ...keys] : keys);
    if (this.filter.isSelected) this.#derive("rows");
    else this.#tell("selection");
  }

  toggle(key) {
    const others = [...this.selected].filter((each) => each !== key);
    this.select(others.length < this.selected.size ? others : [...others, key]);
  }

  isExcluded({ row }) {
    return (row.quality ?? []).some(({ code }) => this.excluded.has(code));
  }

  #derive(what) {
    this.kept = this.entries.filter((entry) => !this.isExcluded(entry));
    if (!this.selected.size) this.filter.isSelected = false;
    const through = this.kept.filter((entry) => this.#passes(entry));
    const { column, isDescending } = this.sort;
    this.shown = column ? sorted(through, column, isDescending) : through;
    this.#tell(what);
  }

  #passes({ key, row, severity, text }) {
    const { text: searched, modality, region, severity: wanted, isSelected } = this.filter;
    return (
      (!isSelected || this.selected.has(key)) &&
      [ALL, row.modality].includes(modality) &&
      [ALL, row.roi].includes(region) &&
      [ALL, severity].includes(wanted) &&
      searched.toLowerCase().split(/\s+/).every((word) => text.includes(word))
    );
  }

  #tell(what) {
    this.#listeners.forEach((listener) => listener(what));
  }
}
