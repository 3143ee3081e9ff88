/** What went wrong, as a sentence and a stable code: RFC 9457, as the service answers. */

import { t } from "./words.js";

const LONGEST_WAIT_S = 600;

export class Problem extends Error {
  /**
   * retryAfterS: seconds after which the service wants to be asked again, null if it does not.
   * isTransient: whether asking again in a moment may help, though nobody said so.
   */
  constructor(code, sentence, { status = 0, retryAfterS = null, isTransient = false } = {}) {
    super(sentence);
    this.code = code;
    this.status = status;
    this.retryAfterS = retryAfterS;
    this.isTransient = isTransient;
  }
}

/** Return an answer that is no success as a Problem, whoever wrote it: a proxy sends HTML. */
export function problemOf(status, body, retryAfter) {
  const stated = parsed(body);
  const code = typeof stated?.code === "string" ? stated.code : `http_${status}`;
  const sentence =
    typeof stated?.detail === "string" && stated.detail
      ? sentenceOf(stated.detail)
      : t("The service answered with status {status}.", { status });
  const isWait = status === 429 || status === 503;
  return new Problem(code, sentence, { status, retryAfterS: isWait ? secondsOf(retryAfter) : null });
}

export function unreachable() {
  return new Problem("unreachable", t("The service cannot be reached."), { isTransient: true });
}

/** Return a sentence of the engine as one: it begins in lower case, since a code stands before it elsewhere. */
export function sentenceOf(text) {
  if (!text) return "";
  const start = text[0].toUpperCase() + text.slice(1);
  return /[.!?]$/.test(start) ? start : `${start}.`;
}

function parsed(body) {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

/** Return what Retry-After says in seconds: a number, or a date (RFC 9110 10.2.3); else null. */
function secondsOf(retryAfter) {
  if (!retryAfter) return null;
  const stated = Number(retryAfter);
  const seconds = Number.isNaN(stated) ? (Date.parse(retryAfter) - Date.now()) / 1000 : stated;
  if (Number.isNaN(seconds)) return null;
  return Math.min(Math.max(seconds, 1), LONGEST_WAIT_S);
}
