/** A field of points on a canvas: pointing, a lasso, and the same by keys. */

import { element } from "../elements.js";
import { sized } from "./heat-map.js";
import { isInside } from "./lasso.js";
import { shape } from "./palette.js";

const MARGIN = { left: 16, right: 16, top: 16, bottom: 16 };
const NEAR_PX = 12;
const DRAG_PX = 5;

/** Handlers: onPoint(index), onOpen(index), onSelect(indices, isAdded). */
export class PointField {
  #handlers;
  #points = [];
  #places = [];
  #order = [];
  #current = -1;
  #lasso = null;
  #canvas = element("canvas", { class: "scatter", tabindex: "0", role: "application", "aria-label": "" });
  #x = element("span", { class: "axis-x" });
  #y = element("span", { class: "axis-y" });
  #readout = element("output", { class: "readout" });

  constructor(handlers) {
    this.#handlers = handlers;
    this.element = element("div", { class: "point-field" }, this.#y, this.#canvas, this.#x, this.#readout);
    this.#canvas.addEventListener("pointerdown", (event) => this.#onDown(event));
    this.#canvas.addEventListener("pointermove", (event) => this.#onMove(event));
    this.#canvas.addEventListener("pointerup", (event) => this.#onUp(event));
    this.#canvas.addEventListener("pointercancel", () => {
      this.#lasso = null;
      this.#paint();
    });
    this.#canvas.addEventListener("keydown", (event) => this.#onKey(event));
    for (const event of ["focus", "blur"]) this.#canvas.addEventListener(event, () => this.#paint());
    new ResizeObserver(() => this.#paint()).observe(this.element);
  }

  /** Show points {x, y, colour, shape, isSelected, label}; names: those of the two axes. */
  show({ points, names: [x, y], label = "" }) {
    if (points.length !== this.#points.length) this.#current = -1;
    this.#points = points;
    this.#order = points.map((_, index) => index).sort((a, b) => points[a].x - points[b].x);
    this.#x.textContent = x;
    this.#y.textContent = y;
    this.#canvas.setAttribute("aria-label", label);
    this.#readout.textContent = points[this.#current]?.label ?? "";
    this.#paint();
  }

  #paint() {
    const width = this.#x.clientWidth;
    if (!width) return;
    const height = Math.round(Math.max(300, Math.min(0.62 * width, 0.6 * innerHeight)));
    const context = sized(this.#canvas, width, height);
    const styles = getComputedStyle(this.element);
    this.#places = placesOf(this.#points, width, height);
    drawAxes(context, { places: this.#places.zero, width, height, colour: styles.getPropertyValue("--line") });
    const radius = this.#points.length > 2000 ? 3 : this.#points.length > 300 ? 4 : 5.5;
    const anySelected = this.#points.some(({ isSelected }) => isSelected);
    for (const isSelected of [false, true]) {
      this.#points.forEach((point, index) => {
        if (point.isSelected !== isSelected) return;
        context.globalAlpha = anySelected && !isSelected ? 0.3 : 0.85;
        context.fillStyle = point.colour;
        shape(context, point.shape, { ...this.#places[index], radius: isSelected ? radius + 1.5 : radius });
      });
    }
    context.globalAlpha = 1;
    context.strokeStyle = styles.getPropertyValue("--ink");
    this.#paintCursor(context, radius);
    this.#paintLasso(context);
  }

  #paintCursor(context, radius) {
    const place = this.#places[this.#current];
    if (!place) return;
    context.lineWidth = 2;
    context.beginPath();
    context.arc(place.x, place.y, radius + 4, 0, 2 * Math.PI);
    context.stroke();
  }

  #paintLasso(context) {
    if (!this.#lasso?.isDrag) return;
    context.lineWidth = 1.5;
    context.setLineDash([5, 4]);
    context.beginPath();
    this.#lasso.path.forEach(({ x, y }) => context.lineTo(x, y));
    context.closePath();
    context.stroke();
    context.setLineDash([]);
  }

  #nearest({ offsetX, offsetY }) {
    let [best, least] = [-1, NEAR_PX ** 2];
    this.#places.forEach(({ x, y }, index) => {
      const distance = (x - offsetX) ** 2 + (y - offsetY) ** 2;
      if (distance < least) [best, least] = [index, distance];
    });
    return best;
  }

  #onDown(event) {
    this.#canvas.setPointerCapture(event.pointerId);
    this.#lasso = { path: [{ x: event.offsetX, y: event.offsetY }], isDrag: false };
  }

  #onMove(event) {
    if (!this.#lasso) {
      const near = this.#nearest(event);
      this.#canvas.classList.toggle("over-point", near >= 0);
      if (near >= 0) this.#readout.textContent = this.#points[near].label;
      return;
    }
    const [start] = this.#lasso.path;
    this.#lasso.path.push({ x: event.offsetX, y: event.offsetY });
    this.#lasso.isDrag ||= Math.hypot(event.offsetX - start.x, event.offsetY - start.y) > DRAG_PX;
    this.#paint();
  }

  #onUp(event) {
    const lasso = this.#lasso;
    this.#lasso = null;
    if (!lasso) return;
    if (lasso.isDrag) {
      const inside = this.#places.flatMap((place, index) => (isInside(place, lasso.path) ? [index] : []));
      this.#handlers.onSelect(inside, event.shiftKey);
      return;
    }
    const near = this.#nearest(event);
    if (near < 0) return;
    this.#goTo(near);
    this.#handlers.onSelect([near], event.shiftKey);
  }

  #goTo(index) {
    this.#current = index;
    this.#readout.textContent = this.#points[index].label;
    this.#handlers.onPoint(index);
    this.#paint();
  }

  #onKey(event) {
    if (!this.#points.length) return;
    const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, Home: -Infinity, End: Infinity }[event.key];
    if (step) {
      const at = this.#order.indexOf(this.#current) + step;
      this.#goTo(this.#order[Math.max(0, Math.min(at, this.#order.length - 1))]);
      if (event.shiftKey) this.#handlers.onSelect([this.#current], true);
    } else if (event.key === " " && this.#current >= 0) this.#handlers.onSelect([this.#current], event.shiftKey);
    else if (event.key === "Enter" && this.#current >= 0) this.#handlers.onOpen(this.#current);
    else return;
    event.preventDefault();
  }
}

/** Return where each point is in the field, and `zero`, where both axes are zero. */
function placesOf(points, width, height) {
  const span = (values) => {
    const least = values.reduce((a, b) => Math.min(a, b), Infinity);
    const most = values.reduce((a, b) => Math.max(a, b), -Infinity);
    return most > least ? [least, most] : [least - 1, most + 1];
  };
  const [left, right] = span(points.map(({ x }) => x));
  const [low, high] = span(points.map(({ y }) => y));
  const place = ({ x, y }) => ({
    x: MARGIN.left + ((x - left) / (right - left)) * (width - MARGIN.left - MARGIN.right),
    y: MARGIN.top + ((high - y) / (high - low)) * (height - MARGIN.top - MARGIN.bottom),
  });
  return Object.assign(points.map(place), { zero: place({ x: 0, y: 0 }) });
}

function drawAxes(context, { places: { x, y }, width, height, colour }) {
  if (!Number.isFinite(x + y)) return;
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(x, 0);
  context.lineTo(x, height);
  context.moveTo(0, y);
  context.lineTo(width, y);
  context.stroke();
}
