/** The rows of a job, as far as it is, in the form of the results. */

import { get } from "../api.js";
import { stackOfJob, stackOfUpload } from "../results/stacks.js";
import { filesOf } from "./file-keys.js";

const STUDIES_AT_ONCE = 200;

/** Return answers of all studies that are over: {key, name, model, rows, feature_names, report, stackOf, code, sentence}. */
export async function answersOf(job, nameOf) {
  const path = `/api/jobs/${encodeURIComponent(job.id)}`;
  const { studies } = await get(path);
  const answered = new Map();
  for (let offset = 0; offset < studies.length; offset += STUDIES_AT_ONCE) {
    const { answers, feature_names: names } = await get(`${path}/results.json?offset=${offset}&limit=${STUDIES_AT_ONCE}`);
    for (const answer of answers) answered.set(answer.position, { ...answer, feature_names: names });
  }
  return studies.filter(({ state, position }) => state === "failed" || answered.has(position)).map((study) => ({
    rows: [],
    report: {},
    feature_names: [],
    ...answered.get(study.position),
    key: String(study.position),
    name: nameOf(study),
    model: job.model,
    stackOf: stacksOf(job, study),
    code: study.state === "failed" ? study.code : "",
    sentence: study.sentence,
  }));
}

/** Return what gives all planes of a row: retrieved again, or of a file if this page has it; else null. */
function stacksOf(job, { position, key }) {
  if (job.source.kind !== "uploads") return (_, index, how) => stackOfJob(job.id, position, index, how);
  const source = filesOf(job.id).get(key);
  return source ? (row, _, how) => stackOfUpload({ source, model: job.model, options: job.options }, row, how) : null;
}
