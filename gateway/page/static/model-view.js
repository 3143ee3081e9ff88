/** The choice of a model and of options, with what the model says of its weights. */

import { get } from "./api.js";
import { element } from "./elements.js";
import { counted, t, textPage, words } from "./words.js";

const REGIONS = [
  ["auto", words("whole volumes and regions of interest")],
  ["whole", words("whole volumes only")],
  ["all", words("regions of interest only")],
];

const STATEMENTS = {
  demonstration: [
    words("Demonstration weights."),
    words("They were trained on synthetic images and show that the whole way works. No conclusion about a patient can be drawn from these features."),
  ],
  untrained: [
    words("Untrained weights."),
    words("They are a seeded initialisation, for checking a pipeline. No conclusion about a patient can be drawn from these features."),
  ],
};

const WEIGHTS = {
  demonstration: words("demonstration weights"),
  untrained: words("untrained weights"),
};

let choices = 0;

/** The fields of one request: uploads have one, and each new job. */
export class ModelChoice {
  #models = [];
  #select;
  #regions;
  #untrained;
  #facts = element("p", { class: "facts" });
  #weights = element("div", {});
  #onChange = () => {};
  #about = element("button", { type: "button", class: "bare about", onclick: () => this.#openCard() });

  /** onChange: called when something else is chosen, or known. */
  constructor(onChange = () => {}) {
    const prefix = (choices += 1) === 1 ? "" : `${choices}-`;
    this.#select = element("select", { id: `${prefix}model`, autocomplete: "off", disabled: true, onchange: () => this.#showFacts() });
    this.#regions = element("select", { id: `${prefix}regions`, autocomplete: "off", onchange: () => this.#onChange() });
    this.#untrained = element("input", { type: "checkbox", id: `${prefix}untrained`, autocomplete: "off" });
    this.element = element("div", {});
    this.relabel();
    this.#onChange = onChange;
  }

  /** Show the models of the service, and say whether there are any; rejects with a Problem. */
  async load() {
    ({ models: this.#models } = await get("/api/models"));
    const chosen = this.#select.value;
    this.#select.replaceChildren(...this.#models.map(({ name }) => element("option", { value: name }, name)));
    if (this.#models.some(({ name }) => name === chosen)) this.#select.value = chosen;
    this.#select.disabled = !this.#models.length;
    this.#showFacts();
    return this.#models.length > 0;
  }

  /** Return what is asked for: {model, options}, null while no model is known. */
  get request() {
    if (!this.#models.length) return null;
    const options = {};
    if (this.#regions.value !== "auto") options.regions = this.#regions.value;
    if (this.#untrained.checked) options.allow = "untrained_modality";
    return { model: this.#select.value, options };
  }

  /** What is chosen, in one line. */
  get line() {
    const model = this.#models.find(({ name }) => name === this.#select.value);
    if (!model) return t("loading");
    const regions = this.#regions.selectedOptions[0]?.textContent ?? "";
    return [model.name, WEIGHTS[model.weights] && t(WEIGHTS[model.weights]), regions].filter(Boolean).join(" · ");
  }

  /** Say everything again, in another language. */
  relabel() {
    const chosen = this.#regions.value || "auto";
    this.#regions.replaceChildren(...REGIONS.map(([value, text]) => element("option", { value, selected: value === chosen }, t(text))));
    const label = (control, text) => element("label", { for: control.id }, text);
    this.element.replaceChildren(
      element("div", { class: "choices" },
        element("div", { class: "field" }, label(this.#select, t("Network")), this.#select),
        element("div", { class: "field" }, label(this.#regions, t("Rows for")), this.#regions),
        element("div", { class: "field check" }, this.#untrained,
          label(this.#untrained, t("Also modalities that the network was not trained on; rows say so")))),
      this.#facts, this.#weights, this.#about);
    this.#showFacts();
  }

  #showFacts() {
    const model = this.#models.find(({ name }) => name === this.#select.value);
    if (!this.#select.options.length) this.#select.append(element("option", {}, t("loading")));
    this.#facts.textContent = model ? factsOf(model) : this.#select.disabled ? "" : t("The service has no model at present.");
    this.#weights.replaceChildren(...(model ? [statementOf(model)] : []));
    this.#about.hidden = !model;
    this.#about.textContent = t("About this network: its card and versions");
    this.#onChange();
  }

  async #openCard() {
    const { openCard } = await import("./model-card.js");
    await openCard(this.#models.find(({ name }) => name === this.#select.value));
  }
}

/** The service may not know some of it: of a Triton on another machine it has little but names. */
function factsOf({ features, prefix, trained_modalities: modalities }) {
  const last = features - 1;
  const first = "0".padStart(String(last).length, "0");
  return [
    counted(features, "{n} feature a row", "{n} features a row"),
    prefix ? t("named {first} to {last}", { first: `${prefix}_${first}`, last: `${prefix}_${last}` }) : "",
    modalities ? t("trained on {modalities}", { modalities: modalities.join(", ") }) : "",
  ].filter(Boolean).join(" · ");
}

function statementOf({ weights }) {
  // In a tab of its own: what the list holds would be lost with this one.
  const link = element("a", { href: textPage("own-model"), target: "_blank" }, t("How to publish a network of your own"));
  const [title, sentence] = STATEMENTS[weights] ?? [];
  if (title) return element("div", { class: "notice warn" }, element("strong", {}, t(title)), ` ${t(sentence)} `, link, ".");
  const known = weights ? t("The weights are trained.") : t("What its weights are is not known here: each row says it.");
  return element("p", { class: "facts" }, `${known} `, link, ".");
}
