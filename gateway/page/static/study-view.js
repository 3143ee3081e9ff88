/** A study in the list: its state in a word, its progress, and what can be done with it. */

import { element } from "./elements.js";
import { listSeries, seriesIn } from "./listing.js";
import { bytesText, secondsText } from "./numbers.js";
import { TIE, problemParts } from "./problem-view.js";
import { isActive, isAgainPossible } from "./studies.js";
import { counted, t, words } from "./words.js";

/** States of a study, here and in a job. */
export const STATES = {
  waiting: words("waiting"),
  packing: words("packing"),
  sending: words("sending"),
  working: words("working"),
  done: words("done"),
  failed: words("failed"),
  cancelled: words("cancelled"),
};

const WAITS = {
  connection: words("waiting: the connection was lost; next try in {time}"),
  service: words("waiting: the service is full; next try in {time}"),
};


const OPTION_WORDS = { whole: words("whole volumes only"), all: words("regions of interest only") };

/** One line of the list. `actions`: cancel, again and remove, each called with the study. */
export class StudyView {
  #study;
  #state = "";
  #word = element("span", { class: "word" });
  #facts = element("span", { class: "facts" });
  #sending = bar(t("Packing and sending"));
  #working = bar(t("Working"));
  #bars = element("div", { class: "bars" }, this.#sending.line, this.#working.line);
  #problem = element("div", { class: "problem", hidden: true });
  #buttons;
  #choice = element("div", { hidden: true });
  #onAgain;

  constructor(study, actions) {
    this.#study = study;
    this.#onAgain = actions.again;
    const { name } = study.source;
    const button = (text, act) =>
      element("button", { type: "button", "aria-label": `${text}: ${name}`, onclick: () => act(study) }, text);
    this.#buttons = {
      cancel: button(t("Cancel"), actions.cancel),
      again: button(t("Try again"), actions.again),
      series: button(t("Series"), () => this.#toggleChoice()),
      remove: button(t("Remove"), actions.remove),
    };
    const title = element("span", { class: "name", title: name }, name);
    const head = element("div", { class: "study-head" }, title, this.#word,
      element("span", { class: "buttons" }, ...Object.values(this.#buttons)));
    this.line = element("li", { class: "study" }, head, this.#facts, this.#bars, this.#problem, this.#choice);
    this.update();
  }

  /** Show the study as it is now. */
  update() {
    if (this.#study.state !== this.#state) this.#showState();
    this.#facts.textContent = factsOf(this.#study);
    this.#showSending();
    this.tick();
  }

  /** Show the time that passes, a second later. */
  tick() {
    const { state, pauseUntil, workingSince, waitsFor } = this.#study;
    if (state === "working") {
      this.#working.note.textContent = secondsText((performance.now() - workingSince) / 1000);
    } else if (pauseUntil) {
      const seconds = Math.max(0, Math.ceil((pauseUntil - performance.now()) / 1000));
      this.#word.textContent = t(WAITS[waitsFor], { time: secondsText(seconds) });
    }
  }

  #showState() {
    const study = this.#study;
    this.#state = study.state;
    this.line.dataset.state = study.state;
    this.#word.textContent = t(STATES[study.state]);
    this.#bars.hidden = !["packing", "sending", "working"].includes(study.state);
    this.#buttons.cancel.hidden = !isActive(study);
    this.#buttons.again.hidden = !isAgainPossible(study);
    this.#buttons.remove.hidden = isActive(study);
    this.#buttons.series.hidden = study.state !== "done";
    this.#showChoice(study.state === "failed" && study.problem.code === TIE);
    this.#working.show(study.state === "working" ? null : 0);
    this.#working.note.textContent = "";
    this.#problem.hidden = study.state !== "failed";
    if (study.state === "failed") this.#problem.replaceChildren(...problemParts(study.problem), ...this.#permission());
  }

  #toggleChoice() {
    this.#showChoice(this.#choice.hidden);
  }

  /** Its series with pictures: a tie is asked at once; what is done can be done again with another one. */
  async #showChoice(isShown) {
    this.#choice.hidden = !isShown;
    this.#buttons.series.setAttribute("aria-expanded", String(isShown));
    if (!isShown) return;
    const study = this.#study;
    const { SeriesChoice } = await import("./series-choice.js");
    const { element: choice } = new SeriesChoice({
      found: seriesIn(study.problem?.message ?? ""),
      used: (study.answer?.rows ?? []).map((row) => row.series_uid),
      load: () => listedOnce(study),
      take: (series) => this.#onAgain(study, { series }),
    });
    this.#choice.replaceChildren(choice);
  }

  /** A modality that the network was not trained on is asked about: one click allows it for this study. */
  #permission() {
    const study = this.#study;
    if (study.problem.code !== "untrained_modality") return [];
    const allow = () => this.#onAgain(study, { allow: "untrained_modality" });
    return [element("p", { class: "buttons candidates" }, element("button", { type: "button", onclick: allow }, t("Extract it anyway: its rows say so")))];
  }

  #showSending() {
    const { state, source, read, sent, zipBytes } = this.#study;
    const packed = source.bytes ? read / source.bytes : 1;
    const gone = zipBytes && state !== "packing" ? sent / zipBytes : 0;
    this.#sending.show(source.isZip ? gone : (packed + gone) / 2);
    if (state === "packing") {
      this.#sending.note.textContent = t("{n} of {all} packed", { n: bytesText(read), all: bytesText(source.bytes) });
    } else if (state === "sending" || state === "working") {
      this.#sending.note.textContent = t("{n} of {all} sent", { n: bytesText(sent), all: bytesText(zipBytes) });
    }
  }
}

/** Series stay as they are, whatever language they are told in. */
function listedOnce(study) {
  study.listed ??= listSeries(study).catch((problem) => {
    study.listed = null;
    throw problem;
  });
  return study.listed;
}

/** Return a labelled progress bar; `show(null)` shows that it is not known how far it is. */
function bar(label) {
  const progress = element("progress", { max: "1", value: "0", "aria-label": label });
  const note = element("span", { class: "note" });
  const line = element("div", { class: "bar" }, element("span", { class: "bar-label" }, label), progress, note);
  const show = (share) => {
    if (share === null) progress.removeAttribute("value");
    else progress.value = Math.min(share, 1);
  };
  return { line, note, show };
}

function factsOf({ source, model, options, answer }) {
  const facts = [bytesText(source.bytes)];
  if (!source.isZip) facts.unshift(counted(source.files.length, "{n} file", "{n} files"));
  if (source.leftOut) facts.push(counted(source.leftOut, "{n} system file left out", "{n} system files left out"));
  facts.push(model);
  if (options.regions) facts.push(t(OPTION_WORDS[options.regions]));
  if (options.allow) facts.push(t("untrained modalities too"));
  if (options.series) facts.push(options.series === "all" ? t("all series") : t("series …{uid}", { uid: options.series.slice(-6) }));
  if (answer) facts.push(counted(answer.rows.length, "{n} row", "{n} rows"));
  return facts.join(" · ");
}
