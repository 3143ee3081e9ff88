/** Albums of Kheops, and the inbox. */

import { get } from "../api.js";
import { element } from "../elements.js";
import { counted, dateText, t } from "../words.js";
import { kheopsToken } from "./kheops-token.js";
import { heading, labelled, later, pager, problemNotice, select } from "./parts.js";

const LIMIT = 25;

/** Names of albums that were listed: the service tells of one album by its id alone. */
const names = new Map();

export const nameOfAlbum = (id) => names.get(id) ?? "";

export class AlbumsView {
  #place;
  #query = { search: "", sort: "-changed", offset: 0 };
  #filters = element("div", { class: "filters view-filters" });
  #body = element("div", { "aria-live": "polite" });
  #asked = 0;

  constructor(place) {
    this.#place = place;
    const search = element("input", { type: "search", autocomplete: "off", spellcheck: "false",
      oninput: later(({ target }) => this.#ask({ search: target.value, offset: 0 })) });
    const sorts = [["-changed", t("changed last")], ["name", t("name")], ["-created", t("newest")], ["-studies", t("most studies")]];
    this.element = element("div", {},
      heading(t("Albums"), ["#/cohorts", t("Cohorts")]),
      tokenField(place, () => this.open()),
      this.#filters, this.#body);
    this.#filters.append(labelled(t("Search"), search),
      labelled(t("Order"), select(sorts, "-changed", (sort) => this.#ask({ sort, offset: 0 }))));
  }

  open() {
    this.#filters.hidden = needsToken(this.#place);
    if (!this.#filters.hidden) this.#ask({});
  }

  close() {
    this.#asked += 1;
  }

  async #ask(what) {
    Object.assign(this.#query, what);
    const asked = (this.#asked += 1);
    try {
      const found = await get(`/api/kheops/albums?${new URLSearchParams({ ...this.#query, limit: LIMIT })}`);
      if (asked === this.#asked) this.#show(found);
    } catch (problem) {
      if (asked === this.#asked) this.#body.replaceChildren(kheopsNotice(problem, this.#place, () => this.#ask({})));
    }
  }

  #show({ albums, total, inbox }) {
    for (const { id, name } of albums) names.set(id, name);
    const { search, offset } = this.#query;
    const lines = albums.map(lineOf);
    if (inbox?.studies && !search && !offset) lines.unshift(inboxLine(inbox));
    this.#body.replaceChildren(
      lines.length ? element("ul", { class: "list", "aria-label": t("Albums") }, ...lines) : emptyNotice(search),
      pager({ offset, limit: LIMIT, count: albums.length, total, go: (to) => this.#ask({ offset: to }) }));
  }
}

function emptyNotice(search) {
  return element("p", { class: "card facts" }, search
    ? t("No album's name has these letters.")
    : t("You have no album in Kheops yet. Make one there and put studies into it, or ask somebody to share one with you."));
}

function inboxLine({ studies }) {
  return element("li", { class: "study" },
    element("a", { class: "name", href: "#/albums/inbox" }, t("Inbox")), " ",
    element("span", { class: "facts" }, counted(studies, "{n} study", "{n} studies")));
}

function lineOf({ id, name, description, modalities, studies, series, changed }) {
  const facts = [
    studies === null ? "" : counted(studies, "{n} study", "{n} studies"),
    series === null ? "" : counted(series, "{n} series", "{n} series"),
    modalities.join(", "), changed ? t("changed {date}", { date: dateText(changed) }) : "", description,
  ];
  return element("li", { class: "study" },
    element("a", { class: "name", href: `#/albums/${id}` }, name || t("without a name")),
    element("span", { class: "facts" }, facts.filter(Boolean).join(" · ")));
}

/** What is said where Kheops does not take a token. */
const REFUSALS = ["source_refused", "invalid_token", "bad_token"];

/** Return how a problem with Kheops is said: a token that it does not take is forgotten, and another one asked for. */
export function kheopsNotice(problem, place, again) {
  const isRefused = place.mode === "local" && REFUSALS.includes(problem.code);
  if (isRefused) kheopsToken.forget();
  return element("div", {}, problemNotice(problem, isRefused ? null : again), tokenField(place, again));
}

/** On a computer of one's own nobody logs in at Kheops' provider: a token of Kheops says who asks. */
export const needsToken = ({ mode }) => mode === "local" && !kheopsToken.isThere;

/** Return a field for the token, or nothing where it is not needed; isAnother: also where there is one already. */
export function tokenField(place, onToken, { isAnother = false } = {}) {
  if (!needsToken(place) && !(isAnother && place.mode === "local")) return null;
  const input = element("input", { type: "password", autocomplete: "off", spellcheck: "false", required: true, pattern: "\\s*[A-Za-z0-9]{22}\\s*", title: t("22 letters and digits") });
  const form = element("form", { class: "card token", onsubmit: (event) => {
    event.preventDefault();
    kheopsToken.set(input.value);
    form.remove();
    onToken();
  } },
  element("p", {}, t("This computer is not logged in to Kheops. Make a token there (Settings, API tokens), and put it here: it is kept while this page is open, and sealed with a job until the job ends.")),
  element("div", { class: "filters" }, labelled(t("Token of Kheops"), input), element("button", { class: "primary" }, t("Use it"))));
  return form;
}
