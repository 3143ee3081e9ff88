/** Which files belong to which study of a job: known to this page alone, while it is open. */

const jobs = new Map();

/** Return a Map from keys to sources. Keys are made by chance: nothing of a file is in them. */
export function keysOf(sources) {
  return new Map(sources.map((source) => [crypto.randomUUID(), source]));
}

export function remember(id, keyed) {
  jobs.set(id, keyed);
}

export const filesOf = (id) => jobs.get(id) ?? new Map();
