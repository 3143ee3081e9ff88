/** Rows as files: made by the service out of what the page has, spreadsheets first. */

import { postForFile } from "../api.js";
import { element } from "../elements.js";
import { problemText } from "../problem-view.js";
import { counted, t, words } from "../words.js";

const FORMS = [
  { form: "xlsx", title: words("Download XLSX"), hint: words("For Excel and LibreOffice: features, acquisition, quality, methods") },
  { form: "csv", title: words("CSV"), hint: words("One table, comma and point") },
  { form: "zip", title: words("Zip"), hint: words("A CSV for each modality and region, with provenance and methods") },
  { form: "parquet", title: words("Parquet"), hint: words("For R, pandas and Arrow") },
  { form: "json", title: words("JSON"), hint: words("All that the page has of each row") },
];

/** Buttons for files. `exported` returns {document, kept}: what is sent for a file, and how many rows it will have. */
export class Downloads {
  #exported;
  #buttons = element("div", { class: "buttons", role: "group" });
  #note = element("p", { class: "facts", role: "status" });

  constructor(exported) {
    this.#exported = exported;
    this.element = element("div", { class: "downloads" }, this.#buttons, this.#note);
    this.relabel();
  }

  relabel() {
    this.#note.textContent = "";
    this.#buttons.setAttribute("aria-label", t("Download"));
    this.#buttons.replaceChildren(...FORMS.map((each, at) =>
      element("button", { type: "button", class: at ? null : "primary", title: t(each.hint), onclick: () => this.#give(each.form) }, t(each.title))));
  }

  async #give(form) {
    const { document, kept } = this.#exported();
    if (!kept) {
      this.#note.textContent = t("There is no row to write: all are excluded.");
      return;
    }
    this.#busy(true);
    this.#note.textContent = t("The file is being made …");
    try {
      save(await postForFile(`/api/exports/${form}`, document), `${fileName(document)}.${form}`);
      this.#note.textContent = counted(kept, "The file has {n} row.", "The file has {n} rows.");
    } catch (problem) {
      this.#note.textContent = t("There is no file: {sentence}", { sentence: problemText(problem) });
    } finally {
      this.#busy(false);
    }
  }

  #busy(isBusy) {
    this.#buttons.querySelectorAll("button").forEach((each) => each.setAttribute("aria-disabled", String(isBusy)));
  }
}

function fileName({ title, answers }) {
  const { feature_prefix: prefix, weights_sha256: weights } = answers.find(({ rows }) => rows.length).rows[0];
  const name = ["features", title, prefix, String(weights).slice(0, 8)].filter(Boolean).join("-");
  return name.normalize("NFKD").replaceAll(/[^\w.-]+/g, "_").slice(0, 100);
}

/** Give a file to the person. */
export function save(file, name) {
  const address = URL.createObjectURL(file);
  const link = element("a", { href: address, download: name });
  link.click();
  // The download has begun with the click; the file is let go once it must be through.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
