/** Studies of one's own: what is dropped becomes studies, studies become rows. */

import { studiesOfDrop, studiesOfInput } from "./dropped.js";
import { byId } from "./elements.js";
import { ModelChoice } from "./model-view.js";
import { ResultsView } from "./results/results-view.js";
import { stackOfUpload } from "./results/stacks.js";
import { Studies, isActive, isAgainPossible } from "./studies.js";
import { StudyView } from "./study-view.js";
import { counted, numberText, onLanguage, t, words } from "./words.js";

const SECOND_MS = 1000;

/** Where rows are beside the network and not below it, as the style has it. */
const BESIDE = "(min-width: 120rem)";

/** Of the window's height: results that begin further down are not seen. */
const SEEN_SHARE = 0.6;

const NOTHING = words("nothing to send was found in what was dropped");
const UNREADABLE = words("what was dropped cannot be read");
const NO_NETWORK = words("nothing was sent, since no network is there to send it to: drop it again later");

/** The view of uploads. `onLoggedOut` is called when the service does not know the person any more. */
export class Uploads {
  choice = new ModelChoice(() => this.#showModel());
  #studies = new Studies((study) => this.#onChange(study));
  #results = new ResultsView();
  #views = new Map();
  #states = new Map();
  #remark = () => "";
  #isToShow = false;
  #started;
  #onLoggedOut;
  #actions = {
    cancel: (study) => this.#studies.cancel(study),
    again: (study, options = {}) => this.#again(study, options),
    remove: (study) => this.#studies.remove(study),
  };

  /** started: a promise that is kept once it is known which models there are. */
  constructor({ started, onLoggedOut }) {
    this.#started = started;
    this.#onLoggedOut = onLoggedOut;
    byId("uploads-model").append(this.choice.element);
    byId("groups").append(this.#results.element);
    this.#listenToDrops();
    this.#listenToButtons();
    setInterval(() => this.#views.forEach((view) => view.tick()), SECOND_MS);
    onLanguage(() => this.#redraw());
  }

  hold() {
    this.#studies.hold();
  }

  release() {
    this.#studies.release();
  }

  /** Draw a study that has changed; what concerns all of them only if its state has. */
  #onChange(study) {
    const isListed = this.#studies.list.includes(study);
    if (isListed) this.#viewOf(study).update();
    else this.#forget(study);
    if (isListed && this.#states.get(study) === study.state) return;
    this.#states.set(study, study.state);
    if (study.state === "failed" && study.problem.status === 401) this.#onLoggedOut();
    if (!isListed || ["done", "waiting", "failed"].includes(study.state)) this.#showResultsSoon();
    this.#showSummary();
  }

  #viewOf(study) {
    if (!this.#views.has(study)) {
      const view = new StudyView(study, this.#actions);
      this.#views.set(study, view);
      byId("list").append(view.line);
    }
    return this.#views.get(study);
  }

  /** Ask once more, with what is chosen now, and with options of this study alone. */
  #again(study, options) {
    const { request } = this.choice;
    this.#studies.again(study, request ? { ...request, options: { ...request.options, ...options } } : {});
  }

  #forget(study) {
    this.#views.get(study)?.line.remove();
    this.#views.delete(study);
    this.#states.delete(study);
  }

  #redraw() {
    this.choice.relabel();
    this.#results.relabel();
    this.#views.clear();
    byId("list").replaceChildren();
    this.#studies.list.forEach((study) => this.#viewOf(study));
    this.#showSummary();
  }

  /** Once for all that changes at once: hundreds of studies are added in one go. */
  #showResultsSoon() {
    if (this.#isToShow) return;
    this.#isToShow = true;
    queueMicrotask(() => this.#showResults());
  }

  #showResults() {
    this.#isToShow = false;
    const answered = this.#studies.list.filter(({ answer }) => answer);
    const hadRows = !byId("results").hidden;
    const hasRows = answered.some(({ answer }) => answer.rows.length);
    byId("results").hidden = !hasRows;
    byId("view-uploads").classList.toggle("has-rows", hasRows);
    this.#results.show(answered.map((study) => ({
      key: String(study.id),
      name: study.source.name,
      ...study.answer,
      stackOf: (row, _, how) => stackOfUpload(study, row, how),
    })));
    if (hasRows && !hadRows) this.#comeInView();
  }

  #showModel() {
    byId("model-line").textContent = this.choice.line;
  }

  /** The first rows come into view by themselves, unless somebody is looking at something already. */
  #comeInView() {
    byId("model-fold").open = matchMedia(BESIDE).matches;
    const isBelow = byId("results").getBoundingClientRect().top > SEEN_SHARE * innerHeight;
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (isBelow && !scrollY) byId("results").scrollIntoView({ block: "start", behavior: isCalm ? "instant" : "smooth" });
  }

  /** Say how all studies are doing; a reader of the screen hears it when it changes. */
  #showSummary() {
    const { list } = this.#studies;
    const count = (state) => list.filter((study) => study.state === state).length;
    const remark = this.#remark();
    const parts = [
      t("{n} of {all} done", { n: numberText(count("done")), all: numberText(list.length) }),
      count("failed") ? counted(count("failed"), "{n} failed", "{n} failed") : "",
      count("cancelled") ? counted(count("cancelled"), "{n} cancelled", "{n} cancelled") : "",
      remark,
    ];
    byId("summary").textContent = list.length ? parts.filter(Boolean).join(", ") : remark;
    byId("list").hidden = !list.length;
    byId("view-uploads").classList.toggle("has-studies", list.length > 0);
    byId("cancel-all").hidden = !this.#studies.isBusy;
    byId("again-all").hidden = !list.some(({ state }) => state === "failed");
    byId("clear").hidden = !list.some((study) => !isActive(study));
  }

  /** Add what was dropped or chosen; `found` gives its studies. */
  async #take(found) {
    this.#remark = () => "";
    try {
      this.#remark = await this.#added(found);
    } catch {
      this.#remark = () => t(UNREADABLE);
    } finally {
      this.#showSummary();
    }
  }

  /** Add studies, and return a function that says what there is to say of them. */
  async #added(found) {
    const sources = await found();
    await this.#started;
    const { request } = this.choice;
    if (!request) return () => t(NO_NETWORK);
    const doubled = this.#studies.add(sources, request);
    if (!sources.length) return () => t(NOTHING);
    return () => (doubled.length ? t("{names} is in the list already", { names: doubled.join(", ") }) : "");
  }

  #listenToDrops() {
    let depth = 0;
    const light = (change) => {
      depth = Math.max(0, depth + change);
      byId("drop").classList.toggle("over", depth > 0);
    };
    // On the whole page: a file that is dropped beside the field would replace the page.
    addEventListener("dragenter", () => light(1));
    addEventListener("dragleave", () => light(-1));
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("drop", (event) => {
      event.preventDefault();
      light(-Infinity);
      const found = studiesOfDrop(event.dataTransfer);
      this.#take(() => found);
    });
    for (const id of ["files", "folder"]) {
      byId(id).addEventListener("change", ({ target }) => {
        const chosen = studiesOfInput(target.files);
        target.value = ""; // so that the same folder can be chosen again
        this.#take(() => chosen);
      });
    }
  }

  #listenToButtons() {
    const all = () => this.#studies.list;
    byId("cancel-all").addEventListener("click", () => all().forEach(this.#actions.cancel));
    byId("again-all").addEventListener("click", () => all().filter(isAgainPossible).forEach((study) => this.#actions.again(study)));
    byId("clear").addEventListener("click", () => {
      const finished = all().filter((study) => !isActive(study));
      const rows = finished.reduce((sum, { answer }) => sum + (answer?.rows.length ?? 0), 0);
      const question = t("Remove {studies} and {rows} from this page?", {
        studies: counted(finished.length, "{n} study", "{n} studies"), rows: counted(rows, "{n} row", "{n} rows"),
      });
      if (!rows || confirm(question)) finished.forEach(this.#actions.remove);
    });
    addEventListener("beforeunload", (event) => {
      if (this.#studies.isBusy) event.preventDefault();
    });
  }
}
