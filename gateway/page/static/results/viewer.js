/** What the network saw, plane by plane: three planes through one place, which is moved by hand. */

import { element } from "../elements.js";
import { numberText, t, words } from "../words.js";
import { KINDS, Plane } from "./plane.js";
import { ACROSS, BACK, HEAD, stridesOf } from "./volume.js";

const NAMES = { axial: words("Axial"), coronal: words("Coronal"), sagittal: words("Sagittal") };

const VIEWS = { all: words("All three"), ...NAMES };

/** Where a plane is, by its direction. */
const PLACES = {
  [HEAD]: words("plane {n} of {all}, {mm} mm from the feet end"),
  [BACK]: words("plane {n} of {all}, {mm} mm from the front"),
  [ACROSS]: words("plane {n} of {all}, {mm} mm from the patient's right"),
};

/** On black, and apart from each other for those who see red and green alike. */
const COLOURS = ["#ffb000", "#56c8ff", "#ff7ab8", "#9be37a", "#c9a2ff", "#ff8a5c", "#f2ef6b", "#5fe0d0"];

const GAP_PX = 12;
const NARROW_PX = 560;
const HEIGHT_SHARE = 0.62;

/** Wheels tell of so much for one step, or of less and more often. */
const WHEEL_STEP = 40;

/** A volume in three planes. row: for the unit and the window of its greys. */
export class Viewer {
  #volume;
  #row;
  #at;
  #view = "all";
  #hasCrosshairs = true;
  #panels;
  #hidden = new Set();
  #value = element("output", { class: "facts" });
  #stage;
  #isToDraw = false;

  constructor(volume, row) {
    this.#volume = volume;
    this.#row = row;
    this.#at = volume.shape.map((length) => length >> 1);
    this.#panels = Object.keys(KINDS).map((kind) => this.#panel(kind));
    this.#stage = element("div", { class: "planes-stage" }, ...this.#panels.map(({ figure }) => figure));
    this.element = element("div", { class: "planes", role: "group", "aria-label": t("What the network saw") },
      this.#stage, element("div", { class: "planes-below" }, this.#views(), this.#value), this.#ticks());
    new ResizeObserver(() => this.#resize()).observe(this.element);
  }

  focus() {
    this.#panels[0].slider.focus({ preventScroll: true });
  }

  #panel(kind) {
    const { through } = KINDS[kind];
    const canvas = element("canvas", { role: "img", "aria-label": t(NAMES[kind]) });
    const place = element("output", { class: "facts" });
    const slider = element("input", { type: "range", min: "0", max: String(this.#volume.shape[through] - 1), step: "1", autocomplete: "off",
      "aria-label": t(NAMES[kind]), oninput: ({ target }) => this.#move(through, Number(target.value)) });
    const figure = element("figure", { "data-plane": kind }, canvas, slider, element("figcaption", {}, element("strong", {}, t(NAMES[kind])), " ", place));
    const panel = { kind, through, figure, slider, place, plane: new Plane(this.#volume, kind, canvas) };
    this.#listen(canvas, panel);
    return panel;
  }

  #listen(canvas, { plane, through }) {
    let turned = 0;
    const follow = ({ offsetX, offsetY }) => this.#go(plane.placeAt(offsetX, offsetY, this.#at));
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      follow(event);
    });
    canvas.addEventListener("pointermove", (event) => canvas.hasPointerCapture(event.pointerId) && follow(event));
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      turned += event.deltaMode ? Math.sign(event.deltaY) * WHEEL_STEP : event.deltaY;
      const steps = Math.trunc(turned / WHEEL_STEP);
      turned -= steps * WHEEL_STEP;
      if (steps) this.#move(through, this.#at[through] - steps);
    }, { passive: false });
  }

  #move(direction, value) {
    const place = [...this.#at];
    place[direction] = Math.min(Math.max(value, 0), this.#volume.shape[direction] - 1);
    this.#go(place);
  }

  #go(place) {
    this.#at = place;
    this.#drawSoon();
  }

  #views() {
    const buttons = Object.entries(VIEWS).map(([view, name]) =>
      element("button", { type: "button", "aria-pressed": String(view === this.#view), onclick: ({ currentTarget }) => {
        this.#view = view;
        buttons.forEach((each) => each.setAttribute("aria-pressed", String(each === currentTarget)));
        this.#resize();
      } }, t(name)));
    return element("div", { class: "segments", role: "group", "aria-label": t("Planes shown") }, ...buttons);
  }

  /** What is drawn over the planes, to be switched off: each outline, and the cross-hairs. */
  #ticks() {
    const tick = (text, mark, change) => element("label", { class: "planes-tick" },
      element("input", { type: "checkbox", checked: true, autocomplete: "off", onchange: ({ target }) => {
        change(target.checked);
        this.#drawSoon();
      } }), mark, text);
    const outlines = this.#volume.regions.map(({ name }, at) => {
      const mark = element("span", { class: "planes-mark" });
      mark.style.background = colourOf(at);
      return tick(t("Outline of {name}", { name }), mark, (isOn) => (isOn ? this.#hidden.delete(at) : this.#hidden.add(at)));
    });
    return element("div", { class: "planes-ticks" }, ...outlines, tick(t("Cross-hairs"), null, (isOn) => (this.#hasCrosshairs = isOn)));
  }

  /** All planes at one scale, as large as there is room for: proportions are those of the body. */
  #resize() {
    const width = this.element.clientWidth;
    if (!width) return;
    const shown = this.#panels.filter(({ kind }) => ["all", kind].includes(this.#view));
    for (const { figure } of this.#panels) figure.hidden = !shown.some((panel) => panel.figure === figure);
    const widths = shown.map(({ plane }) => plane.mm[0]);
    const isColumn = width < NARROW_PX;
    const room = isColumn ? width / Math.max(...widths) : (width - GAP_PX * (shown.length - 1)) / widths.reduce((sum, each) => sum + each);
    const highest = Math.max(...shown.map(({ plane }) => plane.mm[1]));
    const scale = Math.min(room, (innerHeight * HEIGHT_SHARE) / highest);
    this.#stage.classList.toggle("column", isColumn);
    shown.forEach(({ plane }) => plane.resize(scale));
    this.#draw();
  }

  #drawSoon() {
    if (this.#isToDraw) return;
    this.#isToDraw = true;
    requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    this.#isToDraw = false;
    const outlines = this.#volume.regions.flatMap(({ inside }, at) => (this.#hidden.has(at) ? [] : [{ inside, colour: colourOf(at) }]));
    for (const { through, figure, slider, place, plane } of this.#panels) {
      const text = this.#placeText(through);
      slider.value = String(this.#at[through]);
      slider.setAttribute("aria-valuetext", text);
      place.textContent = text;
      if (!figure.hidden) plane.draw(this.#at, { outlines, hasCrosshairs: this.#hasCrosshairs });
    }
    this.#value.textContent = this.#valueText();
  }

  #placeText(direction) {
    const n = this.#at[direction];
    const all = this.#volume.shape[direction];
    const mm = Math.round((n + 0.5) * this.#volume.voxelMm[direction]);
    return t(PLACES[direction], { n: numberText(n + 1), all: numberText(all), mm: numberText(mm) });
  }

  /** The value where the cross-hairs meet; black and white are the ends of the window, and what is beyond. */
  #valueText() {
    const { window: limits, unit } = this.#row;
    if (!limits) return "";
    const strides = stridesOf(this.#volume.shape);
    const grey = this.#volume.grey[this.#at.reduce((sum, n, direction) => sum + n * strides[direction], 0)];
    const [low, high] = limits;
    const sign = { 0: "≤ ", 255: "≥ " }[grey] ?? "";
    const value = `${sign}${numberText(Number((low + (grey / 255) * (high - low)).toPrecision(3)))} ${unit}`;
    return t("At the cross-hairs: {value}", { value });
  }
}

const colourOf = (at) => COLOURS[at % COLOURS.length];
