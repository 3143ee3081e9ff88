/** The page's language. Texts stand in English where they are used; a catalogue has the others. */

export const LANGUAGES = { en: "English", fr: "Français", de: "Deutsch" };

const CATALOGUES = {
  fr: () => Promise.all([import("./words/fr.js"), import("./words/codes-fr.js")]),
  de: () => Promise.all([import("./words/de.js"), import("./words/codes-de.js")]),
};

/** Stands in the address, so that the language holds when the page is loaded again. */
const PARAMETER = "lang";

const ENGLISH = { TEXTS: {}, QUALITY: {}, MEANINGS: {}, REMEDIES: {}, NOTES: {} };

const listeners = [];
const sources = new WeakMap();

let catalogue = ENGLISH;
let language = "en";

/** For numbers and dates: of the language, as the browser's country writes them if it is one of its. */
let locale = "en";

export const languageNow = () => language;

/** Marks a text of a table that is translated where it is shown: `t` gets it later. */
export const words = (text) => text;

/** Return a text in the page's language; `{name}` in it is replaced by the value of that name. */
export function t(text, values = {}) {
  const said = catalogue.TEXTS[text] ?? text;
  return said.replaceAll(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Return a text for one or for several, with `{n}` as the number of them. */
export function counted(n, one, several) {
  const isOne = new Intl.PluralRules(locale).select(n) === "one";
  return t(isOne ? one : several, { n: numberText(n) });
}

/** Return what a code means, in the page's language; `english` is what codes.js says. */
export const qualityText = (code, english) => catalogue.QUALITY[code] ?? english;
export const remedyText = (code, english) => catalogue.REMEDIES[code] ?? english;
export const noteText = (code, english) => catalogue.NOTES[code] ?? english;

/** Return what went wrong by its code; undefined in English, which the service itself speaks. */
export const meaningText = (code) => catalogue.MEANINGS[code];

/** Return a number for people: four digits that count, and the decimal sign of the language. */
export function numberText(value, digits = 4) {
  if (value === null || value === undefined || Number.isNaN(value)) return "";
  const isWhole = Number.isInteger(value);
  return new Intl.NumberFormat(locale, isWhole ? {} : { maximumSignificantDigits: digits }).format(value);
}

/** Return a day or a moment, ISO 8601, for people. */
export function dateText(iso) {
  if (!iso) return "";
  const time = iso.length > 10 ? { timeStyle: "short" } : {};
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium", ...time }).format(new Date(iso));
}

/** Return the address of a page of text in the page's language. */
export const textPage = (name) => `/static/${name}${language === "en" ? "" : `-${language}`}.html`;

/** Call a function whenever another language was chosen. */
export const onLanguage = (listener) => listeners.push(listener);

/** Speak the language of the address or the browser's; resolves when the page does. */
export function speakFirst() {
  const asked = [new URLSearchParams(location.search).get(PARAMETER), ...navigator.languages];
  const known = asked.map((tag) => tag?.slice(0, 2).toLowerCase()).find((tag) => tag in LANGUAGES);
  return speak(known ?? "en");
}

/** Speak another language from now on. */
export async function choose(tag) {
  await speak(tag);
  const address = new URL(location.href);
  address.searchParams.set(PARAMETER, tag);
  history.replaceState(history.state, "", address);
  listeners.forEach((listener) => listener());
}

async function speak(tag) {
  const modules = CATALOGUES[tag] ? await CATALOGUES[tag]() : [ENGLISH];
  catalogue = Object.assign({}, ...modules);
  language = tag;
  locale = navigator.languages.find((each) => each.slice(0, 2).toLowerCase() === tag) ?? tag;
  document.documentElement.lang = tag;
  translate(document);
}

/** Put texts of the document into the language: of elements with data-t, labels with data-t-label. */
function translate(root) {
  for (const each of root.querySelectorAll("[data-t]")) each.textContent = t(sourceOf(each, each.textContent));
  for (const each of root.querySelectorAll("[data-t-label]")) each.setAttribute("aria-label", t(each.dataset.tLabel));
}

function sourceOf(element, text) {
  if (!sources.has(element)) sources.set(element, text.trim().replaceAll(/\s+/g, " "));
  return sources.get(element);
}
