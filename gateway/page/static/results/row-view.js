/** One row of features: what the network saw, enlarged, and all that is known of the row. */

import { NOTES } from "../codes.js";
import { byId, element } from "../elements.js";
import { noteText, numberText, t } from "../words.js";
import { SEVERITY_WORDS, regionText } from "./columns.js";
import { PicturePanel } from "./picture-panel.js";
import { remarksOf } from "./rows.js";

/** The picture of the row that is open. */
let panel = null;

const nameOf = (entry) => `${entry.row.modality}, ${regionText(entry)}`;

/** Return the picture of an entry as an image, or that there is none. */
export function pictureOf(entry) {
  if (!entry.preview) return element("span", { class: "facts" }, t("no picture"));
  const alternative = t("Middle planes of the network's input: axial, coronal, sagittal. {name}", { name: nameOf(entry) });
  return element("img", { src: `data:image/png;base64,${entry.preview}`, alt: alternative, width: "384", height: "128", decoding: "async" });
}

/** Open row `index` of some entries; `onMove` is told when a person goes on to another one. */
export function openRow(entries, index, onMove = () => {}) {
  const dialog = byId("row");
  const go = (step) => {
    const next = index + step;
    if (next < 0 || next >= entries.length) return;
    openRow(entries, next, onMove);
    onMove(next);
  };
  dialog.onkeydown = ({ key, target }) => {
    if (target.closest(".pan, .planes, select, summary")) return;
    if (key === "ArrowLeft") go(-1);
    else if (key === "ArrowRight") go(1);
  };
  for (const [id, step] of [["row-before", -1], ["row-after", 1]]) {
    byId(id).onclick = () => go(step);
    byId(id).disabled = !entries[index + step];
  }
  byId("row-number").textContent = t("Row {n} of {all}", { n: numberText(index + 1), all: numberText(entries.length) });
  panel?.close();
  panel = new PicturePanel(entries[index], entries[index].preview ? pictureOf(entries[index]) : null);
  dialog.onclose = () => panel.close();
  byId("row-body").replaceChildren(...partsOf(entries[index], panel.element));
  if (!dialog.open) dialog.showModal();
}

function partsOf(entry, picture) {
  const { row } = entry;
  return [
    element("h3", {}, [row.patient_id, nameOf(entry)].filter(Boolean).join(" · ")),
    picture,
    element("h4", {}, t("Quality")),
    remarkList(row),
    element("h4", {}, t("What it is")),
    listOf(factsOf(entry)),
    details(t("Acquisition"), listOf(acquisitionOf(row))),
    details(t("Features"), featuresOf(entry)),
  ];
}

function remarkList(row) {
  const remarks = remarksOf(row);
  if (!remarks.length) return element("p", { class: "facts" }, t("no remarks"));
  return element("ul", { class: "codes" }, ...remarks.map(({ code, severity, number, meaning, measured }) =>
    element("li", {},
      element("span", { class: `severity ${severity}` }, t(SEVERITY_WORDS[severity] ?? severity)),
      element("span", { class: "meaning" }, measured ? `${meaning} (${measured}: ${numberText(number)})` : meaning),
      element("code", { class: "facts" }, code))));
}

function listOf(facts) {
  const stated = facts.filter(([, value]) => value);
  return element("dl", { class: "row-facts" },
    ...stated.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}

function details(title, ...children) {
  return element("details", { class: "more" }, element("summary", {}, title), ...children);
}

function factsOf(entry) {
  const { row } = entry;
  const lengths = (numbers) => (numbers ?? []).map((each) => numberText(each)).join(" × ");
  const size = (shape, voxel) => shape && t("{shape} voxels of {voxel} mm", { shape: lengths(shape), voxel: lengths(voxel) });
  const unit = (value, of) => (value === null || value === undefined ? "" : `${numberText(value)} ${of}`);
  return [
    [t("Study"), entry.study],
    [t("Image"), size(row.shape, row.voxel_mm)],
    [t("Network's input"), size(row.network_shape, row.network_voxel_mm)],
    [t("Window"), row.window && t("{low} to {high} {unit}", { low: numberText(row.window[0]), high: numberText(row.window[1]), unit: row.unit })],
    [t("Volume of the region"), unit(row.volume_ml, "ml")],
    [t("Largest diameter"), unit(row.maximum_diameter_mm, "mm")],
    [t("Bounding box"), row.bounding_box_mm && `${lengths(row.bounding_box_mm)} mm`],
    [t("Intensity"), row.intensity_mean != null && `${numberText(row.intensity_mean)} ± ${numberText(row.intensity_sd)} ${row.unit}`],
    [t("Notes"), notesOf(row)],
    [t("Series"), row.series_uid],
    [t("Weights"), row.weights_sha256],
    [t("Preprocessing"), row.preprocessing_id],
  ];
}

function acquisitionOf({ acquisition = {}, scanner_id: scanner }) {
  const text = (value) => (typeof value === "number" ? numberText(value) : [value].flat().join(" \\ "));
  return [...Object.entries(acquisition).map(([keyword, value]) => [keyword, text(value)]), [t("Scanner"), scanner]];
}

function notesOf({ unit_notes: unit = [], roi_notes: region = [] }) {
  return [...unit, ...region].map((code) => noteText(code, NOTES[code] ?? code)).join(" ");
}

function featuresOf({ features, names }) {
  return element("ul", { class: "features", tabindex: "0", "aria-label": t("Features") }, ...features.map((value, at) =>
    element("li", {}, element("span", { class: "facts" }, names[at]), ` ${value}`)));
}
