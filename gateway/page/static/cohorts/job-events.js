/** What happens to a job, as the service tells it: Server-Sent Events, which go on where they were. */

import { get } from "../api.js";

const AGAIN_MS = 3000;

/** Handlers: onSnapshot(job), onJob(job), onStudy(study), onGone(problem). */
export class JobEvents {
  #path;
  #handlers;
  #stream = null;
  #timer = 0;

  constructor(id, handlers) {
    this.#path = `/api/jobs/${encodeURIComponent(id)}`;
    this.#handlers = handlers;
  }

  open() {
    this.close();
    const { onSnapshot, onJob, onStudy } = this.#handlers;
    const stream = new EventSource(`${this.#path}/events`);
    const listen = (name, act) => stream.addEventListener(name, ({ data }) => act(JSON.parse(data)));
    listen("snapshot", onSnapshot);
    listen("job", onJob);
    listen("study", onStudy);
    // A browser goes on by itself after a lost connection, but gives up when it is refused.
    stream.onerror = () => stream.readyState === EventSource.CLOSED && this.#askWhy();
    this.#stream = stream;
  }

  close() {
    clearTimeout(this.#timer);
    this.#stream?.close();
    this.#stream = null;
  }

  async #askWhy() {
    const stream = this.#stream;
    try {
      const job = await get(this.#path);
      if (this.#stream !== stream) return;
      this.#handlers.onSnapshot(job);
      if (job.state === "running") this.#openLater();
    } catch (problem) {
      if (this.#stream !== stream) return;
      // Without a login, the view is opened again after the next one.
      if (problem.status === 401 || problem.status === 404) this.#handlers.onGone(problem);
      else this.#openLater();
    }
  }

  #openLater() {
    this.#timer = setTimeout(() => this.open(), AGAIN_MS);
  }
}
