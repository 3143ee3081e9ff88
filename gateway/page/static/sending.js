/** A study to the service, and its answer. XMLHttpRequest, since fetch tells nothing of sending. */

import { Problem, problemOf, unreachable } from "./problem.js";
import { t } from "./words.js";

/**
 * Return the answer for a zip, or a form with one. Rejects with a Problem, or with an AbortError if
 * the signal says stop. `onSent` is told how many bytes went out, `onAllSent` when the last one did.
 */
export function send(zip, { method = "POST", path, signal, onSent, onAllSent }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, path);
    request.setRequestHeader("Accept", "application/json");
    if (!(zip instanceof FormData)) request.setRequestHeader("Content-Type", "application/zip");
    request.upload.onprogress = (event) => onSent(event.loaded);
    request.upload.onload = onAllSent;
    request.onload = () => settle(request, resolve, reject);
    request.onerror = () => reject(unreachable());
    request.onabort = () => reject(signal.reason);
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(zip);
  });
}

/** Return where studies are sent to, for rows at once. */
export function featuresPath(model, options) {
  const query = new URLSearchParams(options).toString();
  return `/api/models/${encodeURIComponent(model)}/features${query ? `?${query}` : ""}`;
}

function settle(request, resolve, reject) {
  if (request.status !== 200) {
    reject(problemOf(request.status, request.responseText, request.getResponseHeader("Retry-After")));
    return;
  }
  try {
    resolve(JSON.parse(request.responseText));
  } catch {
    reject(new Problem("not_understood", t("The service's answer cannot be read.")));
  }
}
