/** The rows of a job, as far as it is, in the form of the results. */

import { get } from "../api.js";

const STUDIES_AT_ONCE = 200;

/** Return answers of all studies that are over: {key, name, model, rows, feature_names, report, code, sentence}. */
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
    code: study.state === "failed" ? study.code : "",
    sentence: study.sentence,
  }));
}
