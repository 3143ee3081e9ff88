/** A token of Kheops, where nobody logs in at a provider: kept while the page is open, nowhere else. */

const PATHS = ["/api/kheops/", "/api/jobs"];

class KheopsToken {
  #text = "";

  get isThere() {
    return Boolean(this.#text);
  }

  set(text) {
    this.#text = text.trim();
  }

  /** Forget one that Kheops does not take any more. */
  forget() {
    this.#text = "";
  }

  /** Return the headers by which a request states it. */
  headersFor(path) {
    return this.#text && PATHS.some((each) => path.startsWith(each)) ? { "Kheops-Token": this.#text } : {};
  }
}

export const kheopsToken = new KheopsToken();
