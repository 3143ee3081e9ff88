/** Rows as CSV by RFC 4180, as the service writes it: comma, point, CRLF. */

import { featureText } from "./numbers.js";

const KEY_COLUMNS = ["PatientID", "Modality", "ROI"];

/** Return the table of answers of one model version, rows in the order of the answers. */
export function csvOf(answers) {
  const lines = [[...KEY_COLUMNS, ...answers[0].feature_names]];
  for (const { rows } of answers) {
    for (const row of rows) {
      lines.push([row.patient_id, row.modality, row.roi, ...row.features.map(featureText)]);
    }
  }
  return lines.map((fields) => `${fields.map(quoted).join(",")}\r\n`).join("");
}

function quoted(field) {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

/** Give a text to the person as a file. */
export function download(text, name) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The download has begun with the click; the text is let go once it must be through.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
