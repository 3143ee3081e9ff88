/** A column as colours and shapes of points, with its legend. */

import { element } from "../elements.js";
import { numberText, t } from "../words.js";
import { CATEGORIES, shareColour, strip } from "./colours.js";
import { textOf } from "./columns.js";

const NONE = "#9aa3ab";

/** Shapes beside colours: who cannot tell the colours apart sees the shapes. */
const SHAPES = ["circle", "square", "triangle", "diamond"];

/** What people look for first. */
const FIRST_COLOURS = ["region", "modality", "patient", "group", "quality"];

/** Return the column that colours are taken from where nobody chose one: the first that tells some rows apart. */
export function firstColour(entries, columns) {
  const rank = ({ id }) => (FIRST_COLOURS.includes(id) ? FIRST_COLOURS.indexOf(id) : FIRST_COLOURS.length);
  const ordered = [...columns].sort((a, b) => rank(a) - rank(b));
  return ordered.find((column) => tellsApart(entries, column)) ?? columns[0];
}

function tellsApart(entries, column) {
  const valueOf = column.isNumber ? column.value : nameBy(column);
  const { size } = new Set(entries.map(valueOf));
  return size > 1 && (column.isNumber || size <= CATEGORIES.length) && column.id !== "scanner";
}

const nameBy = (column) => column.category ?? ((entry) => textOf(column, entry) || t("not stated"));

/** Return {colourOf, shapeOf, legend} for entries coloured by a column. */
export function paletteOf(entries, column) {
  return column.isNumber ? numbers(entries, column) : categories(entries, column);
}

function numbers(entries, column) {
  const values = entries.map((entry) => column.value(entry)).filter((value) => value !== null);
  const least = values.reduce((a, b) => Math.min(a, b), Infinity);
  const most = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const share = (value) => (most > least ? (value - least) / (most - least) : 0.5);
  return {
    colourOf: (entry) => (column.value(entry) === null ? NONE : shareColour(share(column.value(entry)))),
    shapeOf: () => "circle",
    legend: values.length
      ? [element("span", {}, numberText(least)), strip(shareColour), element("span", {}, numberText(most))]
      : [element("span", { class: "facts" }, t("No row has a value."))],
  };
}

function categories(entries, column) {
  const nameOf = nameBy(column);
  const counts = new Map();
  for (const entry of entries) counts.set(nameOf(entry), (counts.get(nameOf(entry)) ?? 0) + 1);
  const byCount = [...counts].sort(([, a], [, b]) => b - a);
  const own = byCount.slice(0, byCount.length > CATEGORIES.length ? CATEGORIES.length - 1 : CATEGORIES.length);
  const place = new Map(own.map(([name], at) => [name, at]));
  const at = (name) => place.get(name) ?? CATEGORIES.length - 1;
  const others = byCount.slice(own.length).reduce((sum, [, count]) => sum + count, 0);
  const lines = others ? [...own, [t("others"), others]] : own;
  return {
    colourOf: (entry) => CATEGORIES[at(nameOf(entry))],
    shapeOf: (entry) => SHAPES[at(nameOf(entry)) % SHAPES.length],
    legend: lines.map(([name, count], line) => key(name, count, others && line === own.length ? CATEGORIES.length - 1 : line)),
  };
}

function key(name, count, at) {
  const canvas = element("canvas", { width: "24", height: "24", class: "key", "aria-hidden": "true" });
  const context = canvas.getContext("2d");
  context.fillStyle = CATEGORIES[at];
  shape(context, SHAPES[at % SHAPES.length], { x: 12, y: 12, radius: 9 });
  return element("span", { class: "key-line" }, canvas, element("span", {}, name), element("span", { class: "facts" }, numberText(count)));
}

/** Fill a shape of the context's colour around a point. */
export function shape(context, kind, { x, y, radius }) {
  const corners = {
    square: [[-1, -1], [1, -1], [1, 1], [-1, 1]],
    triangle: [[0, -1.2], [1.1, 0.9], [-1.1, 0.9]],
    diamond: [[0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]],
  }[kind];
  context.beginPath();
  if (corners) corners.forEach(([dx, dy]) => context.lineTo(x + 0.9 * dx * radius, y + 0.9 * dy * radius));
  else context.arc(x, y, radius, 0, 2 * Math.PI);
  context.closePath();
  context.fill();
}
