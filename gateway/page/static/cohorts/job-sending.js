/** Sends the files of a job, two at once, and asks for those that this page does not have. */

import { element } from "../elements.js";
import { bytesText } from "../numbers.js";
import { pack } from "../packing.js";
import { send } from "../sending.js";
import { counted, numberText, t } from "../words.js";
import { filesOf } from "./file-keys.js";
import { chooser } from "./files.js";
import { later, problemNotice } from "./parts.js";

const AT_ONCE = 2;

/** States in which a study of a job wants its bytes. */
const WANTED = ["waiting", "needs_file"];

const PAUSE_S = 5;
const MOST_TRIES = 20;

const sendings = new Map();

/** Return what sends the files of a job: it goes on while other views are looked at. */
export function sendingOf(id) {
  if (!sendings.has(id)) sendings.set(id, new JobSending(id));
  return sendings.get(id);
}

class JobSending {
  /** Called after each file, while the job is looked at. */
  onSent = () => {};
  #id;
  #files;
  #names = new Map();
  #isOfUploads = false;
  #wanted = new Map();
  #tries = new Map();
  #running = new Map();
  #stop = new AbortController();
  #problem = element("div", {});
  #drawLater = later(() => this.#draw(), 200);

  constructor(id) {
    this.#id = id;
    this.#files = filesOf(id);
    this.element = element("div", { class: "card job-sending", hidden: true });
    addEventListener("beforeunload", (event) => this.#running.size && event.preventDefault());
  }

  /** Send nothing more: the job is gone. */
  stop() {
    this.#wanted.clear();
    this.#stop.abort(new DOMException("", "AbortError"));
    sendings.delete(this.#id);
  }

  nameOf(position) {
    return this.#names.get(position) ?? "";
  }

  take({ source, studies }) {
    this.#isOfUploads = source.kind === "uploads";
    if (!this.#isOfUploads) return;
    for (const study of studies) {
      const file = this.#files.get(study.key);
      if (file) this.#names.set(study.position, file.name);
      this.change(study);
    }
  }

  change({ position, state, key }) {
    if (!this.#isOfUploads || this.#running.has(position)) return;
    if (WANTED.includes(state)) this.#wanted.set(position, { key: key ?? this.#wanted.get(position)?.key });
    else this.#wanted.delete(position);
    this.#drawLater();
    this.#startNext();
  }

  #startNext() {
    for (const [position, { key }] of this.#wanted) {
      if (this.#running.size >= AT_ONCE || this.#stop.signal.aborted) return;
      if (this.#files.has(key) && !this.#running.has(position)) this.#send(position, this.#files.get(key));
    }
  }

  async #send(position, source) {
    this.#running.set(position, 0);
    const { signal } = this.#stop;
    try {
      const zip = source.isZip ? source.files[0] : await pack(source.files, { signal, onRead: () => {} });
      const path = `/api/jobs/${encodeURIComponent(this.#id)}/studies/${position}/file`;
      await send(zip, { method: "PUT", path, signal, onAllSent: () => {}, onSent: (sent) => {
        this.#running.set(position, sent);
        this.#drawLater();
      } });
      this.#wanted.delete(position);
    } catch (problem) {
      if (signal.aborted) return;
      await this.#pauseAfter(position, problem);
    } finally {
      this.#running.delete(position);
    }
    this.onSent();
    this.#drawLater();
    this.#startNext();
  }

  /** Wait before the next try; a refusal that is final leaves the study to the list. */
  async #pauseAfter(position, problem) {
    const tries = (this.#tries.get(position) ?? 0) + 1;
    this.#tries.set(position, tries);
    const isPassing = problem.isTransient || problem.retryAfterS;
    if (!isPassing || tries > MOST_TRIES) {
      this.#wanted.delete(position);
      if (problem.status !== 409) this.#problem.replaceChildren(problemNotice(problem));
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 1000 * (problem.retryAfterS ?? PAUSE_S)));
  }

  #draw() {
    const missing = [...this.#wanted].filter(([, { key }]) => !this.#files.has(key));
    const here = this.#wanted.size - missing.length;
    this.element.hidden = !this.#wanted.size && !this.#problem.children.length;
    const bytes = [...this.#running.values()].reduce((sum, sent) => sum + sent, 0);
    this.element.replaceChildren(
      here ? element("p", {}, element("strong", {}, t("Leave this page open:")), " ",
        counted(here, "{n} study is still to be sent", "{n} studies are still to be sent"), bytes ? ` (${bytesText(bytes)})` : "") : "",
      missing.length ? this.#asking(missing) : "", this.#problem);
  }

  #asking(missing) {
    return element("div", {},
      element("p", {}, counted(missing.length, "The file of {n} study was not sent, and this page does not have it.", "The files of {n} studies were not sent, and this page does not have them."), " ",
        t("Choose them again, in any order; or cancel the job to keep what is done.")),
      chooser((sources) => this.#assign(missing, sources)));
  }

  /** Files that are chosen again go to the studies that miss theirs: which is which does not matter to rows. */
  #assign(missing, sources) {
    sources.slice(0, missing.length).forEach((source, at) => {
      const [position, { key }] = missing[at];
      this.#files.set(key, source);
      this.#names.set(position, source.name);
    });
    if (sources.length > missing.length) {
      this.#problem.replaceChildren(element("p", { class: "facts" }, t("{n} were not needed.", { n: numberText(sources.length - missing.length) })));
    }
    this.#draw();
    this.#startNext();
  }
}
