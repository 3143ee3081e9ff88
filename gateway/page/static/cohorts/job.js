/** A job: how far it is, what failed, and its rows. */

import { get, post, remove } from "../api.js";
import { element, redraw } from "../elements.js";
import { secondsText } from "../numbers.js";
import { listSeries } from "../listing.js";
import { ResultsView } from "../results/results-view.js";
import { counted, dateText, numberText, t } from "../words.js";
import { needsToken, tokenField } from "./albums.js";
import { JOB_STATES } from "./home.js";
import { filesOf } from "./file-keys.js";
import { JobEvents } from "./job-events.js";
import { answersOf } from "./job-rows.js";
import { sendingOf } from "./job-sending.js";
import { JobStudies, STATES } from "./job-studies.js";
import { heading, later, problemNotice } from "./parts.js";
import { patientOf } from "./studies.js";

const REFRESH_MS = 1000;

export class JobView {
  #id;
  #place;
  #job = null;
  #names = new Map();
  #used = new Map();
  #loadedRows = -1;
  #isClosed = false;
  #events;
  #head = element("div", { class: "view-head-place" }, heading(t("Job"), ["#/cohorts", t("Cohorts")]));
  #problem = element("div", { class: "job-problem" });
  #progress = element("div", { class: "card job-progress" });
  #sending;
  #studies;
  #results = new ResultsView({ others: () => this.#otherRuns() });
  #rows = element("section", { class: "job-results" });
  #refresh = later(() => this.#loadJob(), REFRESH_MS);

  constructor(id, place) {
    this.#id = id;
    this.#place = place;
    this.#events = new JobEvents(id, {
      onSnapshot: (job) => this.#take(job),
      onJob: (job) => this.#takeJob(job),
      onStudy: (study) => this.#takeStudy(study),
      onGone: (problem) => this.#fail(problem),
    });
    this.#sending = sendingOf(id);
    this.#sending.onSent = () => this.#refresh();
    this.#studies = new JobStudies({
      onRetry: (position) => this.#act(() => post(`${this.#path}/retry`, { positions: [position] })),
      onTake: (position, series) => this.#act(() => post(`${this.#path}/retry`, { series: { [position]: series } })),
      nameOf: (study) => this.#nameOf(study),
      listingOf: (study) => this.#listingOf(study),
      usedOf: (position) => this.#used.get(position) ?? [],
    });
    this.element = element("div", { class: "job" }, this.#head, this.#problem, this.#progress, this.#sending.element, this.#rows,
      element("section", { class: "job-studies-section" }, element("h2", {}, t("Studies")), this.#studies.element));
  }

  open() {
    this.#problem.replaceChildren();
    this.#events.open();
  }

  close() {
    this.#isClosed = true;
    this.#events.close();
    this.#sending.onSent = () => {};
  }

  get #path() {
    return `/api/jobs/${encodeURIComponent(this.#id)}`;
  }

  #take(job) {
    this.#sending.take(job);
    this.#takeJob(job);
    this.#studies.take(job.studies);
  }

  #takeJob(told) {
    const wasOver = this.#job && this.#job.state !== "running";
    this.#job = { ...this.#job, ...told };
    this.#draw();
    const isOver = this.#job.state !== "running";
    if (this.#loadedRows < 0 || (isOver && (!wasOver || this.#loadedRows !== this.#job.rows))) this.#loadRows();
    else this.#drawRows();
  }

  #takeStudy(study) {
    this.#studies.change(study);
    this.#sending.change(study);
    // Its event has the code alone: the sentence is asked for, once for all that come together.
    if (study.code) this.#refresh();
  }

  #fail(problem) {
    if (problem.status === 401) return;
    this.#progress.hidden = this.#rows.hidden = true;
    this.#problem.replaceChildren(problemNotice(problem),
      element("p", { class: "buttons pad" }, element("a", { class: "button", href: "#/cohorts" }, t("All jobs"))));
  }

  async #loadJob() {
    try {
      const job = await get(this.#path);
      if (!this.#isClosed) this.#take(job);
    } catch (problem) {
      if (!this.#isClosed) this.#fail(problem);
    }
  }

  /** Do something to the job, show what it became, and listen again: a retry makes it run. */
  async #act(act) {
    try {
      const job = await act();
      this.#problem.replaceChildren();
      if (job) this.#take(job);
      this.#events.open();
    } catch (problem) {
      this.#problem.replaceChildren(problemNotice(problem));
    }
  }

  async #delete() {
    if (!confirm(t("Delete this job and all its rows? This cannot be undone."))) return;
    try {
      await remove(this.#path);
      this.#sending.stop();
      location.hash = "#/cohorts";
    } catch (problem) {
      this.#problem.replaceChildren(problemNotice(problem));
    }
  }

  #draw() {
    const { title, created_at: created } = this.#job;
    this.#head.querySelector("h2").textContent = title || t("Cohort of {date}", { date: dateText(created) });
    redraw(this.#progress, () => this.#progress.replaceChildren(...this.#progressParts()));
  }

  #progressParts() {
    const { state, counts, model, options, events, code, expires_at: expires } = this.#job;
    const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
    const over = counts.done + counts.failed + counts.cancelled;
    const told = Object.keys(STATES).filter((each) => counts[each]).map((each) => `${t(STATES[each])}: ${numberText(counts[each])}`);
    const optionWords = Object.entries(options).map(([name, value]) => `${name}=${value}`);
    return [
      element("div", { class: "job-line" }, element("strong", {}, t(JOB_STATES[state])), element("span", { role: "status" }, told.join(" · "))),
      element("progress", { max: String(all), value: String(over), "aria-label": t("Studies that are over") }),
      element("p", { class: "facts" }, [this.#speed(), model, ...optionWords, t("rows are kept until {date}", { date: dateText(expires) })].filter(Boolean).join(" · ")),
      code ? this.#waitNotice() : null,
      events.length ? element("details", { class: "more" }, element("summary", {}, t("What happened")), element("ul", { lang: "en" }, ...events.map((each) => element("li", {}, each)))) : null,
      element("p", { class: "buttons" }, ...this.#buttons()),
    ].filter(Boolean);
  }

  #speed() {
    const { rate_per_minute: rate, seconds_left: left } = this.#job;
    if (rate === null) return "";
    return t("{rate} studies a minute, about {time} left", { rate: numberText(rate, 2), time: secondsText(left) });
  }

  /** The source does not take the job's login any more: a new one, and it goes on. */
  #waitNotice() {
    const goOn = () => this.#act(() => post(`${this.#path}/retry`, { positions: [0] }));
    const isOfKheops = this.#job.source.kind === "kheops";
    return element("div", { class: "notice warn" },
      element("p", {}, t("The source asks for a login before the job can go on.")),
      isOfKheops ? tokenField(this.#place, goOn, { isAnother: true }) : null,
      isOfKheops && needsToken(this.#place) ? null : element("p", { class: "buttons" }, element("button", { type: "button", class: "primary", onclick: goOn }, t("Go on with the login of now")),
        this.#place.mode === "local" ? null : element("a", { class: "button", href: `/login?next=${encodeURIComponent(`/${location.hash}`)}` }, t("Log in again"))));
  }

  #buttons() {
    const { state, counts } = this.#job;
    const button = (text, onclick) => element("button", { type: "button", onclick }, text);
    const failed = counts.failed + counts.cancelled;
    return [
      state === "running" ? button(t("Cancel"), () => this.#act(() => post(`${this.#path}/cancel`))) : null,
      failed ? button(counted(failed, "Try {n} study again", "Try {n} studies again"), () => this.#act(() => post(`${this.#path}/retry`, { positions: [] }))) : null,
      this.#results.isMixed ? button(t("Extract the older studies again"), () => this.#act(() => post(`${this.#path}/retry`, { versions: "older" }))) : null,
      button(t("Delete"), () => this.#delete()),
    ].filter(Boolean);
  }

  #drawRows() {
    const missing = this.#job.rows - this.#loadedRows;
    this.#rows.querySelector(".new-rows")?.remove();
    if (missing <= 0) return;
    this.#rows.querySelector("h2")?.after(element("p", { class: "new-rows" },
      element("button", { type: "button", onclick: () => this.#loadRows() }, counted(missing, "Show {n} new row", "Show {n} new rows"))));
  }

  async #loadRows() {
    this.#loadedRows = this.#job.rows;
    try {
      const answers = await answersOf(this.#job, (study) => this.#nameOf(study));
      if (this.#isClosed) return;
      const hasRows = answers.some(({ rows }) => rows.length);
      if (hasRows && !this.#rows.children.length) this.#rows.replaceChildren(element("h2", {}, t("Results")), this.#results.element);
      if (hasRows) this.#results.show(answers, this.#job.title);
      else this.#rows.replaceChildren();
      this.element.classList.toggle("has-rows", hasRows);
      this.#draw();
      for (const { key, rows } of answers) {
        if (rows.length) this.#names.set(Number(key), rows[0].patient_id);
        this.#used.set(Number(key), rows.map((row) => row.series_uid));
      }
      this.#studies.show();
    } catch (problem) {
      this.#loadedRows = -1;
      this.#problem.replaceChildren(problemNotice(problem, () => this.#loadRows()));
    }
    this.#drawRows();
  }

  #nameOf({ position, study_uid: uid, key }) {
    return this.#sending.nameOf(position) || this.#names.get(position) || patientOf(uid) || uid || key || t("study {n}", { n: numberText(position + 1) });
  }

  /** Return what lists the series of a study: the source has it still, or this page its file; else null. */
  #listingOf({ position, key }) {
    const { id, source: { kind }, model, options } = this.#job;
    if (kind !== "uploads") return () => post(`${this.#path}/studies/${position}/series`);
    const source = filesOf(id).get(key);
    return source ? () => listSeries({ source, model, options }) : null;
  }

  /** Other jobs, to compare with; the rows are loaded once they are asked for. */
  async #otherRuns() {
    const { jobs } = await get("/api/jobs");
    return jobs.filter(({ id, rows }) => id !== this.#id && rows).map((job) => ({
      title: [job.title || dateText(job.created_at), job.model].join(" · "),
      answers: () => answersOf(job, ({ study_uid: uid, key }) => uid ?? key),
    }));
  }
}
