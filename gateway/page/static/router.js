/** Which view the address asks for. Addresses are real: they can be reloaded, kept, and gone back to. */

import { get } from "./api.js";
import { byId } from "./elements.js";
import { onLanguage } from "./words.js";

/** Names of views by the part of the address behind the #; what is in brackets is handed to the view. */
const ROUTES = [
  [/^#\/cohorts$/, "home"],
  [/^#\/albums$/, "albums"],
  [/^#\/albums\/([A-Za-z0-9]{1,32})$/, "album"],
  [/^#\/dicomweb$/, "dicomweb"],
  [/^#\/files$/, "files"],
  [/^#\/jobs\/([\w-]{1,64})$/, "job"],
];

const UPLOADS = "uploads";

const NO_SOURCES = { kheops: false, dicomweb: false, jobs: false };

/** Shows the view that the address asks for. Those of cohorts are loaded when one is wanted. */
export class Router {
  #place = null;
  #cohorts = null;
  #address = "";

  constructor() {
    addEventListener("hashchange", () => this.#show());
    onLanguage(() => this.#show({ isAnew: true }));
    this.#mark(viewOfAddress().name);
  }

  /** Begin, or go on after a login. */
  async begin(mode) {
    const sources = await get("/api/sources").catch((problem) => {
      if (problem.status === 401) throw problem;
      return NO_SOURCES;
    });
    const isFirst = !this.#place;
    this.#place = { sources, mode };
    byId("to-cohorts").hidden = !sources.jobs;
    if (isFirst) await this.#show();
    else this.#cohorts?.goOn();
  }

  async #show({ isAnew = false } = {}) {
    const { name, id } = viewOfAddress();
    this.#mark(name);
    if (!this.#place || (!isAnew && this.#address === location.hash)) return;
    this.#address = location.hash;
    if (name !== UPLOADS && !this.#cohorts) {
      const { Views } = await import("./cohorts/views.js");
      this.#cohorts ??= new Views();
      if (this.#address !== location.hash) return;
    }
    this.#cohorts?.close();
    if (name !== UPLOADS) this.#cohorts.show(name, id, { place: this.#place, isAnew });
  }

  #mark(name) {
    const isUploads = name === UPLOADS;
    byId("view-uploads").hidden = !isUploads;
    byId("view-cohorts").hidden = isUploads;
    for (const [id, isHere] of [["to-uploads", isUploads], ["to-cohorts", !isUploads]]) {
      if (isHere) byId(id).setAttribute("aria-current", "page");
      else byId(id).removeAttribute("aria-current");
    }
  }
}

/** Return {name, id} of the view that the address asks for; what is not known is the first one. */
function viewOfAddress() {
  for (const [pattern, name] of ROUTES) {
    const found = pattern.exec(location.hash);
    if (found) return { name, id: found[1] ?? "" };
  }
  return { name: UPLOADS, id: "" };
}
