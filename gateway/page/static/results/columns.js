/** Columns of the table: what they are called, what sorts them, and what they say. */

import { numberText, t, words } from "../words.js";
import { SEVERITIES, remarksOf } from "./rows.js";

export const SEVERITY_WORDS = {
  exclude: words("exclude from analyses"),
  warn: words("look at it"),
  info: words("good to know"),
  "": words("no remarks"),
};

/** Columns that every table has, after the choice and the picture. */
export const FIRST = [
  { id: "patient", title: words("Patient"), value: ({ row }) => row.patient_id, width: "minmax(7rem, 1.2fr)" },
  { id: "modality", title: words("Modality"), value: ({ row }) => row.modality, width: "6rem" },
  { id: "region", title: words("Region"), value: ({ row }) => row.roi, text: regionText, width: "minmax(8rem, 1.2fr)" },
  {
    id: "quality",
    title: words("Quality"),
    value: ({ severity }) => SEVERITIES.length - SEVERITIES.indexOf(severity),
    text: qualityWords,
    category: ({ severity }) => t(SEVERITY_WORDS[severity]),
    width: "minmax(15rem, 2fr)",
  },
];

/** Columns that a person can have shown or hidden; `isShown`: whether they are at first. */
const CONFOUNDERS = [
  number("volume", words("Volume (ml)"), "volume_ml", true),
  number("diameter", words("Diameter (mm)"), "maximum_diameter_mm", true),
  number("mean", words("Mean intensity"), "intensity_mean", true),
  number("sd", words("SD of intensity"), "intensity_sd"),
  number("padded", words("Padded share"), "fraction_padded"),
  number("inside", words("Share inside the image"), "fraction_inside"),
  several("box", words("Bounding box (mm)"), "bounding_box_mm"),
  several("voxel", words("Voxels (mm)"), "voxel_mm"),
  number("uptake", words("Uptake (minutes)"), "uptake_minutes"),
  text("unit", words("Unit"), ({ row }) => row.unit),
  text("chosen", words("Series chosen by"), ({ row }) => row.series_chosen_by),
  text("scanner", words("Scanner"), ({ row }) => row.scanner_id),
  text("study", words("Study"), ({ study }) => study),
];

function number(id, title, label, isShown = false) {
  return { id, title, isNumber: true, isShown, value: ({ row }) => row[label] ?? null, width: "7.5rem" };
}

function text(id, title, value) {
  return { id, title, value: (entry) => value(entry) ?? "", width: "minmax(8rem, 1fr)" };
}

function several(id, title, label) {
  return text(id, title, ({ row }) => listText(row[label]));
}

const listText = (numbers) => (numbers ?? []).map((each) => numberText(each)).join(" × ");

/** IDs of a cohort often are the name of a group or of a site, and a number: SITE-0012. */
export const GROUP = { id: "group", title: words("Patient without number"), value: ({ row }) => row.patient_id.replace(/[^\p{L}]*\d+$/u, "") };

export function regionText({ row }) {
  return row.roi || t("whole volume");
}

export function qualityWords({ row }) {
  return remarksOf(row).map(({ meaning, code }) => meaning || code).join("; ");
}

/** Return the columns that can be chosen: those that some entry has a value for. */
export function choosable(entries) {
  const hasValue = ({ value }) => entries.some((entry) => ![null, ""].includes(value(entry)));
  return [...CONFOUNDERS, ...acquisitionOf(entries)].filter(hasValue);
}

/** Attributes of the acquisition go by their names in DICOM, in every language. */
function acquisitionOf(entries) {
  const keywords = new Set(entries.flatMap(({ row }) => Object.keys(row.acquisition ?? {})));
  return [...keywords].sort((a, b) => a.localeCompare(b)).map((keyword) => {
    const stated = ({ row }) => row.acquisition?.[keyword] ?? null;
    const isNumber = entries.every((entry) => ["number", "object"].includes(typeof stated(entry)) && !Array.isArray(stated(entry)));
    const value = isNumber ? stated : (entry) => [stated(entry) ?? []].flat().join(" \\ ");
    return { id: `acquisition.${keyword}`, title: keyword, isNumber, value, width: "minmax(8rem, 1fr)" };
  });
}

/** Return what a column says of an entry. */
export function textOf(column, entry) {
  if (column.text) return column.text(entry);
  const value = column.value(entry);
  return column.isNumber ? numberText(value) : String(value ?? "");
}

/** Return entries in the order of a column; what has no value comes last, whatever the direction. */
export function sorted(entries, column, isDescending) {
  const sign = isDescending ? -1 : 1;
  const isNone = (value) => value === null || value === "";
  const rank = (a, b) =>
    isNone(a) - isNone(b) ||
    sign * (typeof a === "number" ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true }));
  const values = new Map(entries.map((entry) => [entry, column.value(entry)]));
  return [...entries].sort((a, b) => rank(values.get(a), values.get(b)));
}
