/** Colours of plots: apart for every eye, also for those that do not tell red from green. */

/** Below the mean, the mean, above: blue to white to orange-red. */
const LOW = [33, 102, 172];
const MIDDLE = [247, 247, 247];
const HIGH = [178, 24, 43];

/** Dark to light, as viridis has them. */
const SEQUENCE = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];

/** Okabe and Ito's, the order changed; the eighth is for all others. */
export const CATEGORIES = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#8a7f00", "#7f8790"];

/** How far from the mean the colours of the heat map go, in standard deviations. */
export const MOST_SD = 3;

/** Return the colour of a z-score as [r, g, b]. */
export function zColour(z) {
  const share = Math.max(-1, Math.min(1, z / MOST_SD));
  return mixed(MIDDLE, share < 0 ? LOW : HIGH, Math.abs(share));
}

/** Return the colour of a share from 0 to 1 as a text of CSS. */
export function shareColour(share) {
  const at = Math.max(0, Math.min(1, share)) * (SEQUENCE.length - 1);
  const from = Math.min(Math.floor(at), SEQUENCE.length - 2);
  return `rgb(${mixed(SEQUENCE[from], SEQUENCE[from + 1], at - from).join(" ")})`;
}

function mixed(from, to, share) {
  return from.map((value, at) => Math.round(value + (to[at] - value) * share));
}

/** Return a canvas with a strip of colours; `colourAt` is asked from 0 to 1. */
export function strip(colourAt) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [120, 1];
  canvas.className = "strip";
  canvas.setAttribute("aria-hidden", "true");
  const context = canvas.getContext("2d");
  for (let x = 0; x < canvas.width; x += 1) {
    context.fillStyle = colourAt(x / (canvas.width - 1));
    context.fillRect(x, 0, 1, 1);
  }
  return canvas;
}
