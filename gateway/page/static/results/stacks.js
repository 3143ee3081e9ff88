/** All planes of what the network saw of a row: the study is sent, or retrieved, once more for it. */

import { post } from "../api.js";
import { pack } from "../packing.js";
import { Problem } from "../problem.js";
import { featuresPath, send } from "../sending.js";
import { t } from "../words.js";

/** How a picture is asked for. signal: says stop; onProgress: is told the share that was sent, 1 at the end. */

/** Return the planes of a row of an upload: {preview, picture}. study: {source, model, options}. */
export async function stackOfUpload({ source, model, options }, row, { signal, onProgress }) {
  const zip = source.isZip ? source.files[0] : await pack(source.files, { signal, onRead: () => {} });
  const form = new FormData();
  for (const [name, value] of Object.entries(optionsOf(options, row))) form.append(name, value);
  form.append("file", zip, "study.zip");
  const { rows, previews } = await send(form, {
    path: featuresPath(model, {}),
    signal,
    onSent: (sent) => onProgress(Math.min(sent / zip.size, 1)),
    onAllSent: () => onProgress(1),
  });
  const at = rows.findIndex(({ input_sha256: digest }) => digest === row.input_sha256);
  if (at < 0) throw new Problem("picture_differs", t("The study, or the network, is not as it was when the row was computed. Extract it again."));
  return { preview: previews[at], picture: rows[at].picture };
}

/** Return the planes of a row of a job's study; `index` is that of the row. */
export async function stackOfJob(job, position, index, { signal, onProgress }) {
  onProgress(1);
  return post(`/api/jobs/${encodeURIComponent(job)}/studies/${position}/picture`, { row: index }, { signal });
}

/** The row, and as few others as can be. */
function optionsOf({ roi: _, ...options }, { series_uid: series, roi, roi_number: number }) {
  const region = number == null ? { regions: "whole" } : { regions: "all", ...(roi ? { roi } : {}) };
  return { ...options, series, ...region, preview: "stack" };
}
