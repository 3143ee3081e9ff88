/** Questions to the service, and its answers as JSON or files. Each rejects with a Problem. */

import { kheopsToken } from "./cohorts/kheops-token.js";
import { problemOf, unreachable } from "./problem.js";

const JSON_TYPE = "application/json";

export const get = async (path) => (await ask(path, { headers: { Accept: JSON_TYPE } })).json();

/** Return what a POST of a document answers; null if it is without a body. */
export async function post(path, document = {}, { signal } = {}) {
  const answer = await postFor(path, document, JSON_TYPE, signal);
  const text = await answer.text();
  return text ? JSON.parse(text) : null;
}

/** Return the file that a POST of a document answers with, as a Blob. */
export const postForFile = async (path, document) => (await postFor(path, document, "*/*")).blob();

/** Return the file that a GET answers with, as a Blob. */
export const getFile = async (path) => (await ask(path, {})).blob();

export const remove = (path) => ask(path, { method: "DELETE" });

function postFor(path, document, accepted, signal = null) {
  const headers = { Accept: accepted, "Content-Type": JSON_TYPE };
  return ask(path, { method: "POST", headers, body: JSON.stringify(document), signal });
}

async function ask(path, request) {
  let answer;
  try {
    answer = await fetch(path, { ...request, headers: { ...request.headers, ...kheopsToken.headersFor(path) } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw unreachable();
  }
  if (answer.ok) return answer;
  const problem = problemOf(answer.status, await answer.text(), answer.headers.get("Retry-After"));
  if (problem.status === 401) dispatchEvent(new Event("logged-out"));
  throw problem;
}
