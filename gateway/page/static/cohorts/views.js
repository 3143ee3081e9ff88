/** The views of cohorts: one at a time, in the place that the address asks for. */

import { byId, element } from "../elements.js";
import { t } from "../words.js";
import { AlbumsView } from "./albums.js";
import { FilesView } from "./files.js";
import { HomeView } from "./home.js";
import { JobView } from "./job.js";
import { problemNotice } from "./parts.js";
import { StudiesView } from "./studies.js";

/** Each view has `element`, `open()` to begin or to go on after a login, and `close()`. */
const VIEWS = {
  home: (id, place) => new HomeView(place),
  albums: (id, place) => new AlbumsView(place),
  album: (id, place) => new StudiesView({ kind: "kheops", album: id }, place),
  dicomweb: (id, place) => new StudiesView({ kind: "dicomweb" }, place),
  files: (id, place) => new FilesView(place),
  job: (id, place) => new JobView(id, place),
};

/** Shows one view in its place. place: {sources, mode}: what there is, and how people log in. */
export class Views {
  #view = null;

  show(name, id, { place, isAnew }) {
    if (!place.sources.jobs) {
      byId("view-cohorts").replaceChildren(noJobs(), element("p", { class: "buttons pad" }, element("a", { class: "button", href: "#/" }, t("Studies of mine"))));
      return;
    }
    this.#view = VIEWS[name](id, place);
    byId("view-cohorts").replaceChildren(this.#view.element);
    this.#view.open();
    if (isAnew) return;
    byId("view-cohorts").querySelector("h2").focus({ preventScroll: true });
    scrollTo(0, 0);
  }

  /** Go on with the view that is shown, after a login. */
  goOn() {
    this.#view?.open();
  }

  close() {
    this.#view?.close();
    this.#view = null;
  }
}

function noJobs() {
  const message = t("This service keeps no jobs: studies of your own can be extracted at once.");
  return problemNotice({ code: "no_jobs", message });
}
