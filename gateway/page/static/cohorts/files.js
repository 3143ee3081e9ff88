/** A cohort of files of this computer: they are sent while the page is open, and the rest runs by itself. */

import { studiesOfInput } from "../dropped.js";
import { element } from "../elements.js";
import { counted, t } from "../words.js";
import { bytesText } from "../numbers.js";
import { heading } from "./parts.js";
import { keysOf, remember } from "./file-keys.js";
import { StartForm } from "./start.js";

export class FilesView {
  #place;
  #sources = [];
  #list = element("ul", { class: "list", hidden: true });
  #count = element("p", { class: "choice-bar", role: "status" });
  #start = new StartForm(() => this.#request());

  constructor(place) {
    this.#place = place;
    this.element = element("div", {},
      heading(t("Files of this computer"), ["#/cohorts", t("Cohorts")]),
      element("p", { class: "lead" }, t("Each zip and each folder is one study. Rows are kept with the job; the files are not.")),
      chooser((sources) => this.#add(sources)), this.#count, this.#list, this.#start.element);
  }

  open() {
    this.#start.open();
    this.#show();
  }

  close() {}

  #add(sources) {
    const known = new Set(this.#sources.map(({ key }) => key));
    this.#sources.push(...sources.filter(({ key }) => !known.has(key)));
    this.#show();
  }

  #show() {
    const lines = this.#sources.map((source) => element("li", { class: "study" },
      element("div", { class: "study-head" }, element("span", { class: "name" }, source.name),
        element("span", { class: "facts" }, bytesText(source.bytes)),
        element("button", { type: "button", class: "small-button", "aria-label": `${t("Remove")}: ${source.name}`, onclick: () => {
          this.#sources = this.#sources.filter((each) => each !== source);
          this.#show();
        } }, t("Remove")))));
    this.#list.replaceChildren(...lines);
    this.#list.hidden = !lines.length;
    this.#list.setAttribute("aria-label", t("Studies"));
    this.#count.textContent = lines.length ? counted(lines.length, "{n} study chosen", "{n} studies chosen") : t("Choose zips or folders, one after the other.");
    this.#start.show(lines.length, this.#place.sources.studies_of_a_job);
  }

  #request() {
    const keyed = keysOf(this.#sources);
    return {
      source: { kind: "uploads" },
      studies: [...keyed.keys()].map((key) => ({ key })),
      onStarted: ({ id }) => remember(id, keyed),
    };
  }
}

/** Return buttons by which files and folders are chosen; `onChosen` is called with their studies. */
export function chooser(onChosen) {
  const input = (attributes) => element("input", { type: "file", autocomplete: "off", ...attributes, onchange: ({ target }) => {
    const sources = studiesOfInput(target.files);
    target.value = ""; // so that the same folder can be chosen again
    onChosen(sources);
  } });
  const one = (attributes, text) => element("label", { class: "chooser" }, input(attributes), element("span", { class: "button" }, text));
  return element("p", { class: "buttons" }, one({ multiple: true }, t("Choose zips or files")), one({ webkitdirectory: true }, t("Choose a folder")));
}
