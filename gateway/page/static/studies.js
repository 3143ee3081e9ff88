/** The list of studies: two are worked on at once, the others wait for their turn. */

import { pack } from "./packing.js";
import { Problem } from "./problem.js";
import { featuresPath, send } from "./sending.js";
import { t } from "./words.js";

const AT_ONCE = 2;

/** Pauses after a lost connection; a laptop that slept is back within them. */
const PAUSES_S = [2, 5, 15];

const ACTIVE = ["waiting", "packing", "sending", "working"];

export const isActive = (study) => ACTIVE.includes(study.state);
export const isAgainPossible = (study) => ["failed", "cancelled"].includes(study.state);

/** The studies, in the order in which they came, and what becomes of them. */
export class Studies {
  #list = [];
  #running = 0;
  #isHeld = false;
  #onChange;
  #lastId = 0;

  /** onChange: called with a study whenever anything about it has changed. */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  get list() {
    return [...this.#list];
  }

  get isBusy() {
    return this.#list.some(isActive);
  }

  /**
   * Add studies that are asked for with a model and options. Returns the names of those that are
   * in the list already with the same request: a folder that is dropped twice is meant once.
   */
  add(sources, request) {
    const doubled = [];
    for (const source of sources) {
      if (this.#has(source, request)) doubled.push(source.name);
      else this.#add(source, request);
    }
    this.#startNext();
    return doubled;
  }

  cancel(study) {
    if (!isActive(study)) return;
    study.stop?.abort();
    if (study.state === "waiting") this.#change(study, { state: "cancelled", pauseUntil: null });
  }

  /** Put a study that is over in the queue again, with the request given; what it has is shown until then. */
  again(study, request) {
    if (isActive(study)) return;
    Object.assign(study, { ...request, problem: null, read: 0, sent: 0 });
    this.#change(study, { state: "waiting" });
    this.#startNext();
  }

  remove(study) {
    if (isActive(study)) return;
    this.#list = this.#list.filter((each) => each !== study);
    this.#onChange(study);
  }

  /** Start no study until `release`: without a login, each would be sent in vain. */
  hold() {
    this.#isHeld = true;
  }

  /** Go on, with those again that were refused for want of a login. */
  release() {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    for (const study of this.#list) {
      if (study.state === "failed" && study.problem.status === 401) this.again(study, {});
    }
    this.#startNext();
  }

  #has({ key }, { model, options }) {
    const asked = JSON.stringify([model, options]);
    return this.#list.some(
      (study) =>
        study.source.key === key &&
        JSON.stringify([study.model, study.options]) === asked &&
        !isAgainPossible(study),
    );
  }

  #add(source, { model, options }) {
    this.#lastId += 1;
    const study = { id: this.#lastId, source, model, options, read: 0, sent: 0, zipBytes: 0 };
    this.#list.push(study);
    this.#change(study, { state: "waiting" });
  }

  #change(study, what) {
    Object.assign(study, what);
    this.#onChange(study);
  }

  #startNext() {
    while (this.#running < AT_ONCE && !this.#isHeld) {
      const next = this.#list.find((study) => study.state === "waiting" && !study.stop);
      if (!next) return;
      this.#run(next);
    }
  }

  async #run(study) {
    this.#running += 1;
    study.stop = new AbortController();
    try {
      const zip = await this.#zipOf(study);
      const answer = await this.#sendPatiently(study, zip);
      this.#change(study, { state: "done", answer, stop: null });
    } catch (error) {
      const isCancelled = study.stop.signal.aborted;
      study.stop = null;
      if (isCancelled) this.#change(study, { state: "cancelled", pauseUntil: null });
      else this.#change(study, { state: "failed", problem: problemFrom(error), answer: null });
    } finally {
      this.#running -= 1;
      this.#startNext();
    }
  }

  async #zipOf(study) {
    const { isZip, files } = study.source;
    if (isZip) return files[0];
    this.#change(study, { state: "packing", read: 0 });
    return pack(files, {
      signal: study.stop.signal,
      onRead: (read) => this.#change(study, { read }),
    });
  }

  /** Return the answer; wait where the service says how long, and where the connection was lost. */
  async #sendPatiently(study, zip) {
    const pausesS = [...PAUSES_S];
    for (;;) {
      try {
        return await this.#send(study, zip);
      } catch (error) {
        const pauseS = error.retryAfterS ?? (error.isTransient ? pausesS.shift() : null);
        if (pauseS == null) throw error;
        this.#change(study, {
          state: "waiting",
          waitsFor: error.isTransient ? "connection" : "service",
          pauseUntil: performance.now() + 1000 * pauseS,
        });
        await pause(pauseS, study.stop.signal);
      }
    }
  }

  #send(study, zip) {
    this.#change(study, {
      state: "sending",
      sent: 0,
      read: study.source.bytes,
      zipBytes: zip.size,
      pauseUntil: null,
    });
    return send(zip, {
      path: featuresPath(study.model, study.options),
      signal: study.stop.signal,
      onSent: (sent) => this.#change(study, { sent }),
      onAllSent: () =>
        this.#change(study, { state: "working", sent: zip.size, workingSince: performance.now() }),
    });
  }
}

/** Wait; a signal that says stop ends it with an AbortError. */
function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, 1000 * seconds);
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}

function problemFrom(error) {
  if (error instanceof Problem) return error;
  return new Problem("page_failed", t("The page failed at this study. Try again, or load the page anew."));
}
