/** A row of features: the picture of what the network saw, who and what it is, what to beware of. */

import { NOTES, QUALITY } from "./codes.js";
import { byId, element } from "./elements.js";
import { counted, featureText } from "./numbers.js";

/** How many features of a row the table shows. */
export const FIRST_FEATURES = 3;

const SEVERITIES = { exclude: "exclude from analyses", warn: "look at it", info: "good to know" };

/** Return row `index` of an answer as a row of the table. */
export function rowOf(answer, index) {
  const row = answer.rows[index];
  const cell = (label, attributes, ...children) =>
    element("td", { role: "cell", "data-label": label, ...attributes }, ...children);
  const features = row.features
    .slice(0, FIRST_FEATURES)
    .map((value, at) => cell(answer.feature_names[at], { class: "number" }, featureText(value)));
  return element("tr", { role: "row" },
    cell("What the network saw", { class: "picture" }, pictureOf(row, answer.previews[index])),
    cell("Patient", { class: "text" }, row.patient_id),
    cell("Modality", {}, row.modality),
    cell("Region", { class: "text" }, regionOf(row)),
    ...features,
    cell("Quality", { class: "quality" }, qualityOf(row)));
}

function regionOf({ roi }) {
  return roi || element("span", { class: "facts" }, "whole volume");
}

const nameOf = ({ modality, roi }) => `${modality}, ${roi || "whole volume"}`;

function pictureOf(row, preview) {
  if (!preview) return element("span", { class: "facts" }, "no picture");
  const alternative = `Middle planes of the network's input: axial, coronal, sagittal. ${nameOf(row)}`;
  const image = () =>
    element("img", { src: `data:image/png;base64,${preview}`, alt: alternative, width: "384", height: "128", decoding: "async" });
  const label = `Enlarge: ${nameOf(row)}`;
  return element("button", { type: "button", class: "bare", "aria-label": label, onclick: () => enlarge(row, image()) }, image());
}

function enlarge(row, image) {
  const facts = element("dl", { class: "row-facts" },
    ...factsOf(row).flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
  const planes = element("p", { class: "facts" }, "Axial, coronal and sagittal middle plane; the patient's right is on the left.");
  byId("picture-body").replaceChildren(image, planes, facts);
  byId("picture").showModal();
}

function factsOf(row) {
  const lengths = (numbers) => (numbers ?? []).map((each) => Number(each.toPrecision(4))).join(" × ");
  const facts = [
    ["Patient", row.patient_id],
    ["Modality", row.modality],
    ["Region", row.roi || "whole volume"],
    ["Image", `${lengths(row.shape)} voxels of ${lengths(row.voxel_mm)} mm`],
    ["Network's input", `${lengths(row.network_shape)} voxels of ${lengths(row.network_voxel_mm)} mm`],
    ["Window", `${(row.window ?? []).join(" to ")} ${row.unit}`],
    ["Series", row.series_uid],
    ["Chosen by", row.series_chosen_by],
    ["Volume of the region", row.volume_ml == null ? "" : `${Number(row.volume_ml.toPrecision(4))} ml`],
    ["Notes", notesOf(row)],
  ];
  return facts.filter(([, value]) => value);
}

function notesOf({ unit_notes: unit = [], roi_notes: region = [] }) {
  return [...unit, ...region].map((code) => NOTES[code] ?? code).join(" ");
}

/** Return the quality codes of a row; the worst of them can be seen without opening. */
function qualityOf({ quality }) {
  if (!quality.length) return element("span", { class: "facts" }, "no remarks");
  const severities = Object.keys(SEVERITIES).filter((severity) =>
    quality.some((each) => each.severity === severity));
  const counts = severities.map((severity) => {
    const number = quality.filter((each) => each.severity === severity).length;
    return element("span", { class: `severity ${severity}` }, `${number} ${severity}`);
  });
  const ordered = severities.flatMap((severity) => quality.filter((each) => each.severity === severity));
  return element("details", {},
    element("summary", { "aria-label": `Quality: ${counted(quality.length, "remark")}` }, ...counts),
    element("ul", { class: "codes" }, ...ordered.map(remarkOf)));
}

/** The list of codes writes what a code means, and what its number is, as "…; number: …". */
function remarkOf({ code, severity, number }) {
  const [meaning, ofNumber] = (QUALITY[code] ?? "").split("; number: ");
  const measured = ofNumber && ofNumber !== "1" ? ` (${ofNumber}: ${number})` : "";
  return element("li", {},
    element("code", {}, code),
    element("span", { class: `severity ${severity}` }, SEVERITIES[severity] ?? severity),
    element("span", { class: "meaning" }, `${meaning}${measured}`));
}
