/** The views of cohorts: one at a time, in the place that the address asks for. */

import { get } from "../api.js";
import { byId, element } from "../elements.js";
import { UPLOADS, viewOfAddress } from "../router.js";
import { onLanguage, t } from "../words.js";
import { AlbumsView } from "./albums.js";
import { FilesView } from "./files.js";
import { HomeView } from "./home.js";
import { JobView } from "./job.js";
import { problemNotice } from "./parts.js";
import { StudiesView } from "./studies.js";

const NO_SOURCES = { kheops: false, dicomweb: false, jobs: false };

/** Each view has `element`, `open()` to begin or to go on after a login, and `close()`. */
const VIEWS = {
  home: (id, place) => new HomeView(place),
  albums: (id, place) => new AlbumsView(place),
  album: (id, place) => new StudiesView({ kind: "kheops", album: id }, place),
  dicomweb: (id, place) => new StudiesView({ kind: "dicomweb" }, place),
  files: (id, place) => new FilesView(place),
  job: (id, place) => new JobView(id, place),
};

/** Shows what the address asks for. place: {sources, mode} for views, once it is known. */
export class Views {
  #place = null;
  #view = null;
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
    if (isFirst) this.#show();
    else this.#view?.open();
  }

  #show({ isAnew = false } = {}) {
    const { name, id } = viewOfAddress();
    this.#mark(name);
    if (!this.#place || (!isAnew && this.#address === location.hash)) return;
    this.#address = location.hash;
    this.#view?.close();
    this.#view = null;
    if (name === UPLOADS) return;
    if (!this.#place.sources.jobs) {
      byId("view-cohorts").replaceChildren(problemNotice({ code: "no_jobs", message: t("This service keeps no jobs: studies of your own can be extracted at once.") }),
        element("p", { class: "buttons pad" }, element("a", { class: "button", href: "#/" }, t("Studies of mine"))));
      return;
    }
    this.#view = VIEWS[name](id, this.#place);
    byId("view-cohorts").replaceChildren(this.#view.element);
    this.#view.open();
    if (!isAnew) byId("view-cohorts").querySelector("h2")?.focus({ preventScroll: true });
    scrollTo(0, 0);
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
