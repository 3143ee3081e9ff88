/** Sizes and times as texts for people. */

import { numberText } from "./words.js";

const UNITS = ["bytes", "kB", "MB", "GB", "TB"];

/** Return a number of bytes for people, in steps of 1000. */
export function bytesText(bytes) {
  let step = 0;
  let size = bytes;
  while (size >= 999.5 && step < UNITS.length - 1) {
    size /= 1000;
    step += 1;
  }
  return `${numberText(Number(step && size < 9.95 ? size.toFixed(1) : size.toFixed(0)))} ${UNITS[step]}`;
}

/** Return seconds for people: 7 s, 2 min 05 s, 3 h 20 min. */
export function secondsText(seconds) {
  const whole = Math.floor(seconds);
  const minutes = Math.floor(whole / 60);
  const two = (number) => String(number).padStart(2, "0");
  if (!minutes) return `${whole} s`;
  if (minutes < 60) return `${minutes} min ${two(whole % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}
