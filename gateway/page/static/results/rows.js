/** Rows of all studies as one list: what tables and plots show. */

import { qualityText } from "../words.js";
import { QUALITY } from "../codes.js";

/** From the worst to none. */
export const SEVERITIES = ["exclude", "warn", "info", ""];

const VERSION_LABELS = ["weights_sha256", "preprocessing_id", "feature_prefix"];

/** Return what makes rows comparable: features of two versions do not compare. */
export const versionOf = (row) => JSON.stringify(VERSION_LABELS.map((label) => row[label]));

/**
 * Return the rows of answers as entries: {key, row, features, names, preview, stack, study,
 * severity, text}. stack: gives all planes of what the network saw; null if they are not to be had.
 * Answers: {key, name, model, rows, feature_names, report, previews, stackOf}.
 */
export function entriesOf(answers) {
  return answers.flatMap((answer) =>
    answer.rows.map((row, index) => ({
      key: `${answer.key}:${index}`,
      row,
      features: row.features,
      names: answer.feature_names,
      preview: answer.previews?.[index] ?? "",
      stack: answer.stackOf ? (how) => answer.stackOf(row, index, how) : null,
      study: answer.name,
      severity: worstOf(row),
      text: searchedTextOf(row, answer.name),
    })),
  );
}

function worstOf({ quality = [] }) {
  return SEVERITIES.find((severity) => quality.some((each) => each.severity === severity)) ?? "";
}

function searchedTextOf({ patient_id: patient, roi, modality, study_uid: uid, quality = [] }, name) {
  return [patient, roi, modality, uid, name, ...quality.map(({ code }) => code)].join("\n").toLowerCase();
}

/** Return the remarks of a row, the worst first: {code, severity, number, meaning, measured}. */
export function remarksOf({ quality = [] }) {
  const worst = (a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity);
  return [...quality].sort(worst).map((remark) => {
    // The list of codes writes what a code means, and what its number is, as "…; number: …".
    const [meaning, measured] = qualityText(remark.code, QUALITY[remark.code] ?? "").split("; number: ");
    return { ...remark, meaning, measured: measured === "1" ? "" : (measured ?? "") };
  });
}

/** Return how many of some entries have each code: a Map from code to {severity, count}. */
export function codesOf(entries) {
  const codes = new Map();
  for (const { row } of entries) {
    for (const { code, severity } of row.quality ?? []) {
      const { count } = codes.get(code) ?? { count: 0 };
      codes.set(code, { severity, count: count + 1 });
    }
  }
  const order = ([codeA, a], [codeB, b]) =>
    SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) || codeA.localeCompare(codeB);
  return new Map([...codes].sort(order));
}
