/** The card of a network: what its maker says of it, its versions, and how its inputs are made. */

import { get } from "./api.js";
import { element } from "./elements.js";
import { problemParts } from "./problem-view.js";
import { counted, dateText, numberText, t, words } from "./words.js";

const WEIGHTS = {
  trained: words("trained"),
  demonstration: words("demonstration weights"),
  untrained: words("untrained weights"),
};

/** Open the card of a model, as the list of models has it. */
export async function openCard(model) {
  const body = element("div", { class: "model-card" }, element("p", { class: "facts" }, t("loading")));
  const dialog = element("dialog", { "aria-labelledby": "card-title", onclose: () => dialog.remove() },
    element("form", { method: "dialog", class: "dialog-head" },
      element("h2", { id: "card-title" }, model.name), element("button", {}, t("Close"))),
    body);
  document.body.append(dialog);
  dialog.showModal();
  try {
    body.replaceChildren(...partsOf(model, await get(`/api/models/${encodeURIComponent(model.name)}`)));
  } catch (problem) {
    body.replaceChildren(...problemParts(problem));
  }
}

function partsOf(model, { parameters, versions }) {
  const served = versions.find(({ is_served: isServed }) => isServed);
  const others = versions.filter((each) => each !== served);
  return [
    listOf(inputFacts(model, parameters)),
    ...(served ? versionParts(served) : [element("p", { class: "facts" }, t("Its card is with whoever runs this service: the network is on another machine. Each row says its weights."))]),
    ...others.map((each) => element("details", { class: "more" },
      element("summary", {}, t("Version {n}, not served", { n: each.version })), ...versionParts(each))),
  ];
}

/** Known to the service wherever the network is. */
function inputFacts({ features, weights, trained_modalities: modalities }, parameters) {
  const by = (text) => text?.split(",").join(" × ");
  const windows = Object.entries(parameters).filter(([name]) => name.startsWith("window_")).sort();
  return [
    [t("Features"), numberText(features)],
    [t("Weights"), WEIGHTS[weights] && t(WEIGHTS[weights])],
    [t("Trained on"), modalities?.join(", ")],
    [t("Network's input"), parameters.shape && t("{shape} voxels", { shape: by(parameters.shape) })],
    [t("Box around a region"), parameters.region_extent_mm && `${by(parameters.region_extent_mm)} mm`],
    [t("Windows"), windows.map(([name, text]) => `${name.slice("window_".length).replace("_", " ")}: ${text.replace(",", " … ")}`).join("; ")],
    [t("Voxels it was trained on"), parameters.trained_voxel_mm && `${by(parameters.trained_voxel_mm)} mm`],
  ];
}

function versionParts({ version, is_served: isServed, card }) {
  const { statement, about, intended_for: purpose, limits = [] } = card;
  return [
    isServed ? element("h4", {}, t("Version {n}, served now", { n: version })) : null,
    statement ? said(element("strong", {}, statement)) : null,
    about || purpose ? said([about, purpose].filter(Boolean).join(" ")) : null,
    listOf(cardFacts(card)),
    card.metrics ? metricsTable(card) : null,
    limits.length ? element("h4", {}, t("Limits")) : null,
    limits.length ? element("ul", { lang: "en" }, ...limits.map((each) => element("li", {}, each))) : null,
    Object.keys(card).length ? null : element("p", { class: "facts" }, t("This version has no card.")),
  ].filter(Boolean);
}

/** Its maker's words, in the language of whoever wrote them. */
const said = (...children) => element("p", { lang: "en" }, ...children);

function cardFacts(card) {
  const { data = {}, source, licence, layer, date, published, software } = card;
  return [
    [t("Patients"), data.patients && counted(data.patients, "{n} patient", "{n} patients")],
    [t("Made on"), dateText(published ?? date)],
    [t("Software"), software],
    [t("Source"), source && textOf(source)],
    [t("Licence"), licence],
    [t("Layer"), layer],
    [t("SHA-256 of the weights"), card.served_sha256 ?? card.weights_sha256],
  ];
}

const textOf = (value) =>
  typeof value === "object" ? Object.entries(value).map(([name, each]) => `${name}: ${[each].flat().join(", ")}`).join("; ") : String(value);

/** How well it told its classes apart, on the studies of each set. */
function metricsTable({ metrics, classes = {} }) {
  const measure = (found) => (found ? `${numberText(found.value, 3)} (${numberText(found.low, 3)}–${numberText(found.high, 3)})` : "");
  const head = [t("Studies"), "AUC", t("Accuracy"), t("Sensitivity"), t("Specificity")];
  const lines = Object.entries(metrics).map(([name, set]) =>
    [name, ...["auc", "accuracy", "sensitivity", "specificity"].map((each) => measure(set[each]))]);
  const title = t("How well it told {positive} from {negative}, with intervals of 95 %", { positive: classes.positive ?? "+", negative: classes.negative ?? "−" });
  return element("div", { class: "wide-table", tabindex: "0", role: "region", "aria-label": title },
    element("p", { class: "facts" }, title),
    element("table", { class: "differences" },
      element("thead", {}, element("tr", {}, ...head.map((each) => element("th", { scope: "col" }, each)))),
      element("tbody", {}, ...lines.map((line) => element("tr", {}, ...line.map((each) => element("td", {}, each)))))));
}

function listOf(facts) {
  const stated = facts.filter(([, value]) => value);
  return element("dl", { class: "row-facts" },
    ...stated.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}
