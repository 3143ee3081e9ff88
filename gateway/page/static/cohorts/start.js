/** The second half of a new cohort: network, options, a title, and the button that starts it. */

import { post } from "../api.js";
import { element } from "../elements.js";
import { ModelChoice } from "../model-view.js";
import { counted, numberText, t } from "../words.js";
import { labelled, problemNotice } from "./parts.js";

/** `request` returns {source, studies, onStarted} of what was chosen. */
export class StartForm {
  #request;
  #choice = new ModelChoice();
  #title = element("input", { type: "text", autocomplete: "off", maxlength: "200", spellcheck: "false" });
  #button = element("button", { class: "primary", disabled: true });
  #note = element("p", { class: "facts" });
  #problem = element("div", {});

  constructor(request) {
    this.#request = request;
    this.element = element("form", { class: "card start", onsubmit: (event) => {
      event.preventDefault();
      this.#start();
    } },
    element("h3", {}, t("What is extracted")), this.#choice.element,
    element("div", { class: "filters" }, labelled(t("Title (optional: it names the files)"), this.#title), this.#button), this.#note, this.#problem);
    this.show(0);
  }

  open() {
    this.#choice.load().then(() => this.#problem.replaceChildren(), (problem) => this.#problem.replaceChildren(problemNotice(problem, () => this.open())));
  }

  show(count, most = Infinity) {
    this.#button.textContent = count ? counted(count, "Extract {n} study", "Extract {n} studies") : t("Extract");
    this.#button.disabled = !count || count > most;
    this.#note.textContent = count > most
      ? t("A job may have {n} studies: choose fewer.", { n: numberText(most) })
      : count ? t("The job runs by itself, also when this page is closed.") : t("Choose studies above.");
  }

  async #start() {
    const { request } = this.#choice;
    if (!request || this.#button.disabled) return;
    this.#button.disabled = true;
    try {
      const { source, studies, onStarted } = this.#request();
      const job = await post("/api/jobs", { source, studies, ...request, title: this.#title.value.trim() });
      onStarted(job);
      location.hash = `#/jobs/${job.id}`;
    } catch (problem) {
      this.#problem.replaceChildren(problemNotice(problem));
    } finally {
      this.#button.disabled = false;
    }
  }
}
