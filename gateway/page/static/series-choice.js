/** The series of a study as cards, with a picture and what tells them apart: one is chosen, or all. */

import { element } from "./elements.js";
import { counted, numberText, t, words } from "./words.js";

/** Why the rule takes a series, by `decided_by`. */
const DEFAULT_BECAUSE = {
  only: words("the only one of its modality that can be used"),
  regions: words("the regions of interest are drawn on it"),
  original: words("it was acquired, and not computed from others"),
  kernel: words("it has the smoothest kernel"),
  thickness: words("its slices lie closest"),
};

const OTHER_BECAUSE = {
  only: words("another one is the only one that can be used"),
  regions: words("the regions of interest are drawn on another one"),
  original: words("it was computed from others, and another one was acquired"),
  kernel: words("another one has a smoother kernel"),
  thickness: words("slices of another one lie closer"),
};

/** What may differ and is of no use to a person who chooses. */
const LEFT_OUT = ["SoftwareVersions", "ImageType", "LossyImageCompressionRatio"];

/** Facts on a card, beside sizes. */
const MOST_FACTS = 6;

/**
 * A choice among series. found: what is known of them before they are listed: [{series_uid, instances, slice_mm}].
 * load: resolves to the list of the service, null if it cannot be had; take: is called with UIDs or "all";
 * used: UIDs of those that gave rows. isEager: whether they are listed once they can be seen, or when somebody
 * asks for it.
 */
export class SeriesChoice {
  #load;
  #take;
  #used;
  #series;
  #isListed = false;
  #status = element("p", { class: "facts", role: "status" });
  #cards = element("ul", { class: "series-cards", "aria-label": t("Series") });
  #buttons = element("p", { class: "buttons" });

  constructor({ found = [], load, take, used = [], isEager = true }) {
    this.#load = load;
    this.#take = take;
    this.#used = new Set(used);
    this.#series = found.map((each) => ({ ...each, standing: "tied" }));
    this.element = element("div", { class: "series-choice" }, this.#cards, this.#buttons, this.#status);
    this.#draw();
    if (!isEager || !load) return;
    const observer = new IntersectionObserver((seen) => {
      if (!seen.some(({ isIntersecting }) => isIntersecting)) return;
      observer.disconnect();
      this.#list();
    });
    observer.observe(this.element);
  }

  async #list() {
    this.#status.textContent = t("Pictures of the series are being made …");
    this.#buttons.hidden = true;
    try {
      const { series } = await this.#load();
      this.#series = series;
      this.#isListed = true;
      this.#status.textContent = "";
    } catch (problem) {
      this.#status.textContent = `${t("There are no pictures of the series.")} ${problem.message}`;
    }
    this.#buttons.hidden = false;
    this.#draw();
  }

  #draw() {
    const usable = this.#series.filter(({ standing }) => standing !== "unusable");
    this.#cards.hidden = !this.#series.length;
    this.#cards.replaceChildren(...this.#series.map((each) => this.#card(each)));
    const button = (text, onclick) => element("button", { type: "button", onclick }, text);
    this.#buttons.replaceChildren(...[
      usable.length > 1 ? button(t("Take all of them"), () => this.#take("all")) : null,
      this.#isListed || !this.#load ? null : button(t("Show pictures of the series"), () => this.#list()),
    ].filter(Boolean));
  }

  #card(series) {
    const { series_uid: uid, standing } = series;
    const isUsed = this.#used.has(uid);
    const name = nameOf(series);
    const button = element("button", { type: "button", "aria-label": `${t("Take this series")}: ${name}, …${uid.slice(-6)}`, onclick: () => this.#take(uid) }, t("Take this series"));
    return element("li", { class: isUsed ? "series-card is-used" : "series-card" },
      this.#picture(series, name),
      element("div", {},
        element("p", { class: "marks" }, element("strong", {}, name), mark(isUsed, t("used")), mark(standing === "chosen", t("default")), mark(series.referenced, t("with regions"))),
        element("p", { class: "facts" }, sizeOf(series)),
        factsOf(series, this.#series),
        element("p", {}, reasonOf(series)),
        element("p", { class: "uid" }, uid)),
      standing === "unusable" || isUsed ? null : element("div", { class: "buttons" }, button));
  }

  #picture({ thumbnail }, name) {
    if (!thumbnail) return element("div", { class: "series-picture" });
    return element("div", { class: "series-picture" },
      element("img", { src: `data:image/png;base64,${thumbnail}`, alt: t("Middle plane of {name}", { name }) }));
  }
}

const mark = (isSo, text) => (isSo ? element("span", { class: "mark" }, text) : null);

function nameOf({ modality = "", instances, shape }) {
  const slices = shape ? counted(shape[2], "{n} slice", "{n} slices") : counted(instances, "{n} object", "{n} objects");
  return [modality, slices].filter(Boolean).join(" · ");
}

function sizeOf({ shape, voxel_mm: mm, slice_mm: sliceMm, volumes }) {
  if (!shape) return sliceMm ? t("slices {mm} mm apart", { mm: numberText(sliceMm) }) : "";
  const lengths = (numbers) => numbers.map((each) => numberText(each, 3)).join(" × ");
  const size = t("{shape} voxels of {voxel} mm", { shape: lengths(shape), voxel: lengths(mm) });
  return volumes > 1 ? `${size}, ${counted(volumes, "{n} volume", "{n} volumes")}` : size;
}

/** What tells a series from the others of its modality, by the attributes of the acquisition. */
function factsOf(series, all) {
  const { acquisition, modality } = series;
  if (!acquisition) return null;
  const others = all.filter((each) => each !== series && each.modality === modality && each.acquisition);
  const text = (each, keyword) => JSON.stringify(each.acquisition[keyword]);
  const differs = (keyword) => others.some((each) => text(each, keyword) !== text(series, keyword));
  const shown = Object.keys(acquisition).filter((keyword) => differs(keyword) && !LEFT_OUT.includes(keyword)).slice(0, MOST_FACTS);
  return element("dl", {}, ...shown.flatMap((keyword) => [
    element("dt", {}, keyword), element("dd", {}, valueText(acquisition[keyword]))]));
}

const valueText = (value) => [value].flat().map((each) => (typeof each === "number" ? numberText(each) : each)).join(" \\ ");

function reasonOf({ standing, decided_by: by, reason, code, thumbnail }) {
  if (standing === "chosen") return t("Default: {why}.", { why: t(DEFAULT_BECAUSE[by] ?? by) });
  if (standing === "other") return t("Not the default: {why}.", { why: t(OTHER_BECAUSE[by] ?? by) });
  if (standing === "unusable") return t("Cannot be used: {why}", { why: `${reason} (${code})` });
  return thumbnail === undefined ? "" : t("No rule ranks it before the others.");
}
