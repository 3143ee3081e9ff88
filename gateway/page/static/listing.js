/** Lists series of studies, one study at a time: each is sent once more for it. */

import { pack } from "./packing.js";
import { send } from "./sending.js";

let last = Promise.resolve();

/** Return the series of a study {source, model}: {series, report}; rejects with a Problem. */
export function listSeries(study) {
  const listed = last.then(() => list(study));
  last = listed.catch(() => {});
  return listed;
}

async function list({ source, model, options }) {
  const { signal } = new AbortController();
  const zip = source.isZip ? source.files[0] : await pack(source.files, { signal, onRead: () => {} });
  const { allow = "" } = options;
  const query = new URLSearchParams({ model, ...(allow ? { allow } : {}) });
  return send(zip, { path: `/api/series?${query}`, signal, onSent: () => {}, onAllSent: () => {} });
}

/** A series in the sentence of a tie: its UID, how many objects it has, how far apart they are. */
const CANDIDATE = /([\d.]+) \((\d+) objects, ([\d.]+) mm\)/g;

/** Return what the sentence of a tie says of its series. */
export function seriesIn(sentence) {
  return [...sentence.matchAll(CANDIDATE)].map(([, uid, objects, mm]) => ({
    series_uid: uid, instances: Number(objects), slice_mm: Number(mm),
  }));
}
