/** Tabs by WAI-ARIA: one stop of the tab key, arrows go from one to the next. */

import { element } from "../elements.js";
import { t } from "../words.js";

let groups = 0;

/** tabs: {title, element, onShow} each; `title` is in English, `onShow` is called when it is seen. */
export class Tabs {
  #tabs;
  #list = element("div", { role: "tablist", class: "tabs" });
  #buttons;
  #panels;

  constructor(tabs) {
    const group = (groups += 1);
    this.#tabs = tabs;
    this.#buttons = tabs.map((_, at) => element("button", {
      type: "button", role: "tab", id: `tab-${group}-${at}`, "aria-controls": `panel-${group}-${at}`,
      onclick: () => this.show(at), onkeydown: (event) => this.#onKey(event, at),
    }));
    this.#panels = tabs.map((tab, at) =>
      element("div", { role: "tabpanel", id: `panel-${group}-${at}`, "aria-labelledby": `tab-${group}-${at}`, class: "panel" }, tab.element));
    this.#list.append(...this.#buttons);
    this.element = element("div", {}, this.#list, ...this.#panels);
    this.relabel();
    this.show(0);
  }

  relabel() {
    this.#list.setAttribute("aria-label", t("Views of the results"));
    this.#buttons.forEach((button, at) => (button.textContent = t(this.#tabs[at].title)));
  }

  show(shown) {
    this.#buttons.forEach((button, at) => {
      button.setAttribute("aria-selected", String(at === shown));
      button.tabIndex = at === shown ? 0 : -1;
      this.#panels[at].hidden = at !== shown;
    });
    this.#tabs[shown].onShow?.();
  }

  #onKey(event, at) {
    const count = this.#tabs.length;
    const to = { ArrowRight: (at + 1) % count, ArrowLeft: (at + count - 1) % count, Home: 0, End: count - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.show(to);
    this.#buttons[to].focus();
  }
}
