/** Studies of an album or an archive: searched, chosen, and handed to a job. */

import { get } from "../api.js";
import { element } from "../elements.js";
import { counted, dateText, numberText, t } from "../words.js";
import { kheopsNotice, nameOfAlbum, needsToken, tokenField } from "./albums.js";
import { heading, labelled, later, pager, problemNotice, select } from "./parts.js";
import { StartForm } from "./start.js";

const LIMIT = 50;

/** As many as the service tells at once, to choose all that were found. */
const MOST_AT_ONCE = 1000;

const MODALITIES = ["CT", "PT", "MR", "RTSTRUCT", "SEG"];

/** What was chosen of each source stays chosen while the page is open: the back button keeps it. */
const choices = new Map();

/** Patients of studies that were listed: a job knows its studies by their UIDs. */
const patients = new Map();

export const patientOf = (uid) => patients.get(uid) ?? "";

export class StudiesView {
  #source;
  #place;
  #query = { search: "", modality: "", sort: "-date", offset: 0 };
  #chosen;
  #studies = [];
  #total = 0;
  #asked = 0;
  #bar = element("div", { class: "choice-bar", role: "status" });
  #body = element("div", {});
  #start;
  #parts;

  /** source: {kind, album} as a job states it. */
  constructor(source, place) {
    this.#source = source;
    this.#place = place;
    const key = JSON.stringify(source);
    if (!choices.has(key)) choices.set(key, new Set());
    this.#chosen = choices.get(key);
    this.#start = new StartForm(() => this.#request());
    this.#parts = element("div", {}, this.#filters(), this.#bar, this.#body, this.#start.element);
    const token = source.kind === "kheops" ? tokenField(place, () => this.open()) : null;
    this.element = element("div", {}, ...[this.#heading(), token, this.#parts].filter(Boolean));
  }

  open() {
    this.#parts.hidden = this.#source.kind === "kheops" && needsToken(this.#place);
    if (this.#parts.hidden) return;
    this.#start.open();
    this.#ask({});
  }

  close() {
    this.#asked += 1;
  }

  get #path() {
    return this.#source.kind === "kheops" ? `/api/kheops/albums/${this.#source.album}/studies` : "/api/dicomweb/studies";
  }

  #heading() {
    const home = ["#/cohorts", t("Cohorts")];
    if (this.#source.kind === "dicomweb") return heading(t("Studies of the archive"), home);
    const { album } = this.#source;
    const title = album === "inbox" ? t("Studies of the inbox") : nameOfAlbum(album) || t("Studies of the album");
    return heading(title, home, ["#/albums", t("Albums")]);
  }

  #filters() {
    const search = element("input", { type: "search", autocomplete: "off", spellcheck: "false",
      oninput: later(({ target }) => this.#ask({ search: target.value, offset: 0 })) });
    const sorts = [["-date", t("newest")], ["date", t("oldest")], ["patient_id", t("patient's ID")], ["name", t("name")]];
    const modalities = [["", t("all")], ...MODALITIES.map((each) => [each, each])];
    return element("div", { class: "filters view-filters" },
      labelled(t("Search patient"), search),
      labelled(t("Modality"), select(modalities, "", (modality) => this.#ask({ modality, offset: 0 }))),
      labelled(t("Order"), select(sorts, "-date", (sort) => this.#ask({ sort, offset: 0 }))));
  }

  async #ask(what) {
    Object.assign(this.#query, what);
    const asked = (this.#asked += 1);
    try {
      const { studies, total } = await get(this.#address({ ...this.#query, limit: LIMIT }));
      if (asked !== this.#asked) return;
      [this.#studies, this.#total] = [studies, total];
      for (const { study_uid: uid, patient_id: id } of studies) patients.set(uid, id);
      this.#show();
    } catch (problem) {
      if (asked === this.#asked) this.#body.replaceChildren(this.#noticeOf(problem));
    }
  }

  #noticeOf(problem) {
    const again = () => this.#ask({});
    return this.#source.kind === "kheops" ? kheopsNotice(problem, this.#place, again) : problemNotice(problem, again);
  }

  #address(query) {
    const stated = Object.entries(query).filter(([, value]) => value !== "");
    return `${this.#path}?${new URLSearchParams(Object.fromEntries(stated))}`;
  }

  #show() {
    const { offset, search, modality } = this.#query;
    this.#showBar();
    if (!this.#studies.length) {
      this.#body.replaceChildren(element("p", { class: "card facts" }, search || modality
        ? t("No study was found. Search for a part of the patient's ID or name.")
        : t("There is no study here. Put studies into the album in Kheops, or choose another one.")));
      return;
    }
    this.#body.replaceChildren(
      element("div", { class: "wide-table list", tabindex: "0", role: "region", "aria-label": t("Studies") }, this.#table()),
      pager({ offset, limit: LIMIT, count: this.#studies.length, total: this.#total, go: (to) => this.#ask({ offset: to }) }));
  }

  #table() {
    const heads = [t("Patient"), t("Name"), t("Date"), t("Description"), t("Modalities"), t("Series")];
    const all = element("input", { type: "checkbox", autocomplete: "off", "aria-label": t("All on this page"),
      checked: this.#studies.every(({ study_uid: uid }) => this.#chosen.has(uid)),
      onchange: ({ target }) => this.#choose(this.#studies.map(({ study_uid: uid }) => uid), target.checked) });
    const head = element("tr", {}, element("td", {}, all), ...heads.map((text) => element("th", { scope: "col" }, text)));
    return element("table", { class: "studies" }, element("thead", {}, head),
      element("tbody", {}, ...this.#studies.map((study) => this.#line(study))));
  }

  #line({ study_uid: uid, patient_id: id, patient_name: name, date, description, modalities, series }) {
    const box = element("input", { type: "checkbox", autocomplete: "off", checked: this.#chosen.has(uid), "aria-label": t("Choose {study}", { study: `${id} ${dateText(date)}` }),
      onchange: ({ target }) => this.#choose([uid], target.checked, { isDrawn: true }) });
    const line = element("tr", { onclick: ({ target }) => target !== box && box.click() }, element("td", {}, box),
      element("th", { scope: "row" }, id || t("without an ID")),
      ...[name.replaceAll("^", " "), dateText(date), description, modalities.join(", "), numberText(series)].map((text) => element("td", {}, text)));
    return line;
  }

  #choose(uids, isChosen, { isDrawn = false } = {}) {
    uids.forEach((uid) => (isChosen ? this.#chosen.add(uid) : this.#chosen.delete(uid)));
    if (isDrawn) this.#showBar();
    else this.#show();
  }

  #showBar() {
    const button = (text, onclick) => element("button", { type: "button", class: "small-button", onclick }, text);
    const isMore = this.#total === null || this.#total > this.#studies.length || this.#chosen.size < this.#total;
    this.#bar.replaceChildren(
      element("strong", {}, counted(this.#chosen.size, "{n} study chosen", "{n} studies chosen")),
      this.#studies.length && isMore ? button(this.#total === null ? t("Choose all that were found") : t("Choose all {n} that were found", { n: numberText(this.#total) }), () => this.#chooseAll()) : "",
      this.#chosen.size ? button(t("Choose none"), () => {
        this.#chosen.clear();
        this.#choose([], false);
      }) : "");
    this.#start.show(this.#chosen.size, this.#place.sources.studies_of_a_job);
  }

  /** Choose all that the search finds, on all pages. */
  async #chooseAll() {
    const { search, modality, sort } = this.#query;
    const found = [];
    try {
      for (let offset = 0; ; offset += MOST_AT_ONCE) {
        const { studies } = await get(this.#address({ search, modality, sort, offset, limit: MOST_AT_ONCE }));
        found.push(...studies.map(({ study_uid: uid }) => uid));
        if (studies.length < MOST_AT_ONCE || found.length > this.#place.sources.studies_of_a_job) break;
      }
    } catch (problem) {
      this.#body.prepend(problemNotice(problem));
      return;
    }
    this.#choose(found, true);
  }

  #request() {
    const studies = [...this.#chosen].map((uid) => ({ study_uid: uid }));
    return { source: this.#source, studies, onStarted: () => this.#chosen.clear() };
  }
}
