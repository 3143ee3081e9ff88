/** What went wrong, for people: what its code means, what helps, and the service's own sentence. */

import { REMEDIES } from "./codes.js";
import { element } from "./elements.js";
import { meaningText, remedyText, t, words } from "./words.js";

/** The refusal of a study with several series that could be meant. */
export const TIE = "ambiguous_series";

/** What helps with studies of one's own, where the list of codes speaks of options of a request. */
const REMEDIES_HERE = {
  not_chosen: words("Send the series as a study of its own to get it too."),
  uneven_spacing: words("Look for missing slices and send them all."),
  untrained_modality: words("Extract it anyway, by the button below, or tick “Also modalities that the network was not trained on” for all that come."),
};

/** What helps in a job, whose options stay as they are. */
const REMEDIES_OF_JOBS = {
  ...REMEDIES_HERE,
  untrained_modality: words("Start a job of these studies with “Also modalities that the network was not trained on” ticked."),
};

/**
 * Return the paragraphs that say a problem, {code, message}. In a language other than the service's, what the
 * code means comes first, and the sentence, which has the particulars, below.
 */
export function problemParts({ code, message }, { isOfJob = false } = {}) {
  // What the service says of a tie is a list of UIDs: on the page it is one of cards.
  if (code === TIE) return [element("p", {}, t("Several series could be meant, and no rule ranks them. Choose one of them, or all."), " ", element("code", {}, code))];
  const meaning = meaningText(code);
  const here = (isOfJob ? REMEDIES_OF_JOBS : REMEDIES_HERE)[code];
  const remedy = here ? t(here) : remedyText(code, REMEDIES[code] ?? "");
  return [
    element("p", {}, `${meaning || message} `, element("code", {}, code ?? "")),
    remedy ? element("p", { class: "facts" }, t("What helps: {remedy}", { remedy })) : null,
    meaning ? ownWords(message) : null,
  ].filter(Boolean);
}

/** Return a problem as one line. */
export function problemText({ code, message }) {
  return `${meaningText(code) || message} (${code})`;
}

/** Return the service's own sentence as a paragraph; null without one. */
export function ownWords(sentence) {
  if (!sentence) return null;
  return element("p", { class: "facts" }, `${t("In the service's own words:")} `, element("span", { lang: "en" }, sentence));
}
