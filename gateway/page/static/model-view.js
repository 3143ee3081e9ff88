/** The choice of a model and of options, with what the model says of its weights. */

import { byId, element } from "./elements.js";
import { get } from "./sending.js";

const OWN_MODEL = "/static/own-model.html";

const STATEMENTS = {
  demonstration: [
    "Demonstration weights.",
    "They were trained on synthetic images and show that the whole way works. " +
      "No conclusion about a patient can be drawn from these features.",
  ],
  untrained: [
    "Untrained weights.",
    "They are a seeded initialisation, for checking a pipeline. " +
      "No conclusion about a patient can be drawn from these features.",
  ],
};

const TRAINED = "The weights are trained.";
const UNKNOWN = "What its weights are is not known here: each row says it.";

let models = [];

/** Show the models of the service, and say whether there are any; rejects with a Problem. */
export async function showModels() {
  ({ models } = await get("/api/models"));
  const choice = byId("model");
  const chosen = choice.value;
  choice.replaceChildren(...models.map(({ name }) => element("option", { value: name }, name)));
  if (models.some(({ name }) => name === chosen)) choice.value = chosen;
  choice.disabled = !models.length;
  choice.onchange = showFacts;
  showFacts();
  return models.length > 0;
}

function showFacts() {
  const model = models.find(({ name }) => name === byId("model").value);
  byId("model-facts").textContent = model ? factsOf(model) : "The service has no model at present.";
  byId("weights").replaceChildren(...(model ? [statementOf(model)] : []));
}

/** The service may not know some of it: of a Triton on another machine it has little but names. */
function factsOf({ features, prefix, trained_modalities: modalities }) {
  const last = features - 1;
  const first = "0".padStart(String(last).length, "0");
  const names = prefix ? `, ${prefix}_${first} to ${prefix}_${last}` : "";
  return `${features} features a row${names}.${modalities ? ` Trained on ${modalities.join(", ")}.` : ""}`;
}

function statementOf({ weights }) {
  // In a tab of its own: what the list holds would be lost with this one.
  const link = element("a", { href: OWN_MODEL, target: "_blank" }, "How to publish a network of your own");
  const [title, sentence] = STATEMENTS[weights] ?? ["", weights ? TRAINED : UNKNOWN];
  if (!title) return element("p", { class: "facts" }, `${sentence} `, link, ".");
  const strong = element("strong", {}, title);
  return element("div", { class: "notice warn" }, strong, ` ${sentence} `, link, ".");
}

/** Return what studies are asked for with: {model, options}, null while no model is known. */
export function requestOf() {
  if (!models.length) return null;
  const options = {};
  if (byId("regions").value !== "auto") options.regions = byId("regions").value;
  if (byId("untrained").checked) options.allow = "untrained_modality";
  return { model: byId("model").value, options };
}
