/** A heat map: a line a row, a column a feature, coloured by how far from the mean it is. */

import { element } from "../elements.js";
import { counted, numberText, t } from "../words.js";
import { MOST_SD, strip, zColour } from "./colours.js";
import { regionText } from "./columns.js";
import { openRow } from "./row-view.js";
import { zScores } from "./zscores.js";

const LEAST_ROW_PX = 3;
const MOST_ROW_PX = 18;
const LEAST_FEATURE_PX = 2;

/** As the style has it: max(20rem, 60vh). */
const heightOf = (scroller) => Number.parseFloat(getComputedStyle(scroller).maxHeight);

const STEPS = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1], PageDown: [20, 0], PageUp: [-20, 0], Home: [0, -Infinity], End: [0, Infinity] };

/** The heat map of the rows that are shown, in their order. It computes when it is seen. */
export class HeatMap {
  #chosen;
  #isStale = true;
  #scores = new Float32Array();
  #image = document.createElement("canvas");
  #cursor = { row: 0, feature: 0 };
  #canvas = element("canvas", { class: "heat", tabindex: "0", role: "application" });
  #ground = element("div", { class: "heat-ground" }, this.#canvas);
  #scroller = element("div", { class: "heat-scroll" }, this.#ground);
  #readout = element("output", { class: "readout" });
  #legend = element("div", { class: "legend" });

  constructor(chosen) {
    this.#chosen = chosen;
    this.element = element("div", { class: "plot" }, this.#legend, this.#scroller, this.#readout);
    chosen.listen((what) => {
      if (what !== "selection") this.#isStale = true;
      this.show();
    });
    this.#scroller.addEventListener("scroll", () => this.#paint(), { passive: true });
    this.#canvas.addEventListener("pointermove", (event) => this.#point(event));
    this.#canvas.addEventListener("click", (event) => {
      this.#point(event);
      this.#open();
    });
    this.#canvas.addEventListener("keydown", (event) => this.#onKey(event));
    new ResizeObserver(() => this.show()).observe(this.#scroller);
  }

  /** Draw, if it can be seen. */
  show() {
    if (!this.#scroller.clientWidth) return;
    if (this.#isStale) this.#compute();
    this.#paint();
  }

  /** Say everything again, in another language. */
  relabel() {
    this.#isStale = true;
    this.show();
  }

  get #width() {
    return this.#chosen.shown[0]?.features.length ?? 0;
  }

  #compute() {
    const { shown } = this.#chosen;
    this.#isStale = false;
    this.#scores = zScores(shown.map(({ features }) => features));
    this.#cursor = { row: 0, feature: 0 };
    this.#readout.textContent = shown.length ? t("Point at the map, or use the arrow keys, to read a value.") : t("No row is shown.");
    this.#canvas.setAttribute("aria-label", t("Heat map of {rows} and {features}. Arrow keys read values, Enter opens the row.", {
      rows: counted(shown.length, "{n} row", "{n} rows"),
      features: counted(this.#width, "{n} feature", "{n} features"),
    }));
    this.#legend.replaceChildren(
      element("span", {}, numberText(-MOST_SD)), strip((share) => `rgb(${zColour((2 * share - 1) * MOST_SD).join(" ")})`),
      element("span", {}, t("+{n} standard deviations", { n: numberText(MOST_SD) })),
      element("span", { class: "facts" }, t("Each feature by its mean over the rows shown: for the eye alone, files have the network's own numbers.")));
    this.#fillImage();
  }

  #fillImage() {
    const { length } = this.#chosen.shown;
    if (!length) return;
    const pixels = new ImageData(this.#width, length);
    const words = new Uint32Array(pixels.data.buffer);
    const isLittle = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;
    // 256 colours are looked up: computing each pixel's takes ten times as long.
    const table = Uint32Array.from({ length: 256 }, (_, at) => {
      const [r, g, b] = zColour((at / 127.5 - 1) * MOST_SD);
      return isLittle ? (255 << 24) | (b << 16) | (g << 8) | r : (r << 24) | (g << 16) | (b << 8) | 255;
    });
    for (let at = 0; at < words.length; at += 1) {
      const share = this.#scores[at] / MOST_SD;
      words[at] = table[Math.round((Math.max(-1, Math.min(1, share)) + 1) * 127.5)];
    }
    Object.assign(this.#image, { width: this.#width, height: length });
    this.#image.getContext("2d").putImageData(pixels, 0, 0);
  }

  get #cell() {
    const { length } = this.#chosen.shown;
    const height = heightOf(this.#scroller);
    return {
      width: Math.max(LEAST_FEATURE_PX, this.#scroller.clientWidth / this.#width),
      height: Math.max(LEAST_ROW_PX, Math.min(MOST_ROW_PX, height / length)),
    };
  }

  /** Draw the part in the window: a canvas of thousands of rows would be too tall for browsers. */
  #paint() {
    const { shown, selected } = this.#chosen;
    if (!shown.length || !this.#width) {
      this.#canvas.height = 0;
      return;
    }
    const cell = this.#cell;
    const height = Math.min(heightOf(this.#scroller), Math.ceil(shown.length * cell.height));
    const width = Math.ceil(cell.width * this.#width);
    this.#ground.style.height = `${shown.length * cell.height}px`;
    this.#ground.style.width = `${width}px`;
    const context = sized(this.#canvas, width, height);
    const top = this.#scroller.scrollTop / cell.height;
    context.imageSmoothingEnabled = false;
    context.drawImage(this.#image, 0, top, this.#width, height / cell.height, 0, 0, width, height);
    shown.forEach(({ key }, row) => {
      if (selected.has(key)) mark(context, { x: 0, y: (row - top) * cell.height, width, height: cell.height }, "#e69f00");
    });
    const { row, feature } = this.#cursor;
    if (document.activeElement !== this.#canvas) return;
    mark(context, { x: feature * cell.width, y: (row - top) * cell.height, width: cell.width, height: cell.height }, "#000");
  }

  #point({ offsetX, offsetY }) {
    const cell = this.#cell;
    const row = Math.floor((offsetY + this.#scroller.scrollTop) / cell.height);
    this.#moveTo(row, Math.floor(offsetX / cell.width));
  }

  #moveTo(row, feature) {
    const within = (value, count) => Math.max(0, Math.min(value, count - 1));
    this.#cursor = { row: within(row, this.#chosen.shown.length), feature: within(feature, this.#width) };
    const { row: at, feature: of } = this.#cursor;
    const entry = this.#chosen.shown[at];
    if (!entry) return;
    this.#readout.textContent = [
      entry.row.patient_id, entry.row.modality, regionText(entry),
      `${entry.names[of]} = ${numberText(entry.features[of], 6)}`,
      t("{z} standard deviations from the mean", { z: numberText(this.#scores[at * this.#width + of], 3) }),
    ].filter(Boolean).join(" · ");
    this.#paint();
  }

  #onKey(event) {
    const step = STEPS[event.key];
    if (event.key === "Enter") this.#open();
    else if (!step) return;
    else {
      const { row, feature } = this.#cursor;
      this.#moveTo(row + step[0], feature + step[1]);
      this.#reveal();
    }
    event.preventDefault();
  }

  #reveal() {
    const { height } = this.#cell;
    const top = this.#cursor.row * height;
    const visible = this.#scroller.clientHeight;
    if (top < this.#scroller.scrollTop) this.#scroller.scrollTop = top;
    else if (top + height > this.#scroller.scrollTop + visible) this.#scroller.scrollTop = top + height - visible;
    this.#paint();
  }

  #open() {
    if (this.#chosen.shown.length) openRow(this.#chosen.shown, this.#cursor.row, (row) => this.#moveTo(row, this.#cursor.feature));
  }
}

/** Return the context of a canvas of a size in CSS pixels, sharp on any screen. */
export function sized(canvas, width, height) {
  const ratio = Math.min(window.devicePixelRatio || 1, 3);
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

function mark(context, { x, y, width, height }, colour) {
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.strokeRect(x - 1, y - 1, width + 2, height + 2);
}
