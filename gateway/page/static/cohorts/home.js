/** Where cohorts begin: the sources of studies, and the jobs that there are. */

import { get } from "../api.js";
import { element } from "../elements.js";
import { counted, dateText, numberText, t, words } from "../words.js";
import { heading, problemNotice } from "./parts.js";

const AGAIN_MS = 5000;

export const JOB_STATES = {
  running: words("running"),
  ended: words("ended"),
  cancelled: words("cancelled"),
};

const SOURCE_NAMES = { kheops: "Kheops", dicomweb: "DICOMweb", uploads: words("Files of this computer") };

export class HomeView {
  #place;
  #list = element("div", {});
  #timer = 0;

  constructor(place) {
    this.#place = place;
    this.element = element("div", {},
      heading(t("Cohorts")),
      element("p", { class: "lead" }, t("A cohort runs by itself: close the page, and find all rows later.")),
      element("ul", { class: "sources" }, ...this.#sources()),
      element("h2", {}, t("Jobs")), this.#list);
  }

  #sources() {
    const { kheops, dicomweb } = this.#place.sources;
    const line = (address, title, text) => element("li", {}, element("a", { class: "card source", href: address },
      element("strong", {}, title), element("span", { class: "facts" }, text)));
    return [
      kheops ? line("#/albums", "Kheops", t("Studies of your albums, or of your inbox")) : null,
      dicomweb ? line("#/dicomweb", "DICOMweb", t("Studies of this site's archive")) : null,
      line("#/files", t("Files of this computer"), t("Zips and folders of DICOM files, sent while the page is open")),
    ].filter(Boolean);
  }

  open() {
    this.close();
    this.#load();
  }

  close() {
    clearTimeout(this.#timer);
  }

  async #load() {
    try {
      const { jobs } = await get("/api/jobs");
      this.#list.replaceChildren(jobs.length ? listOf(jobs) : this.#nothing());
      if (jobs.some(({ state }) => state === "running")) this.#timer = setTimeout(() => this.#load(), AGAIN_MS);
    } catch (problem) {
      this.#list.replaceChildren(problemNotice(problem, () => this.open()));
    }
  }

  #nothing() {
    return element("p", { class: "card facts" },
      t("No job yet. Choose where studies come from, above; rows are kept for {days} days.", { days: numberText(this.#place.sources.rows_days) }));
  }
}

function listOf(jobs) {
  return element("ul", { class: "list jobs", "aria-label": t("Jobs") }, ...jobs.map(lineOf));
}

function lineOf({ id, title, model, source, state, counts, rows, created_at: created, code }) {
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const facts = [
    t(SOURCE_NAMES[source.kind]), model,
    t("{n} of {all} studies done", { n: numberText(counts.done ?? 0), all: numberText(all) }),
    counts.failed ? counted(counts.failed, "{n} failed", "{n} failed") : "",
    counts.needs_file ? counted(counts.needs_file, "{n} file needed", "{n} files needed") : "",
    counted(rows, "{n} row", "{n} rows"), dateText(created),
  ];
  return element("li", { class: "study", "data-state": state === "running" ? "working" : state === "ended" ? "done" : "cancelled" },
    element("div", { class: "study-head" },
      element("a", { class: "name", href: `#/jobs/${id}` }, title || t("Cohort of {date}", { date: dateText(created) })),
      element("span", { class: "word" }, code ? t("waits for you") : t(JOB_STATES[state]))),
    element("span", { class: "facts" }, facts.filter(Boolean).join(" · ")));
}
