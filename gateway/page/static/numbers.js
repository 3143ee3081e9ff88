/** Numbers as texts: features as the service's own CSV has them, and sizes for people. */

/** Where numpy begins to write a float32 with an exponent. */
const LEAST_PLAIN = 1e-4;
const MOST_PLAIN = 1e16;

/**
 * Return a feature as Python's `str(numpy.float32(value))` writes it: the service sends the fewest
 * digits that read back to the same float32, and they are kept. So a table that is made here
 * equals that of the service, to the letter.
 */
export function featureText(value) {
  const [mantissa, exponent] = Math.abs(value).toExponential().split("e");
  const digits = mantissa.replace(".", "");
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const size = Math.abs(Math.fround(value));
  const isPlain = size === 0 || (size >= LEAST_PLAIN && size < MOST_PLAIN);
  return sign + (isPlain ? plain : scientific)(digits, Number(exponent));
}

function plain(digits, exponent) {
  if (exponent < 0) return `0.${"0".repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  return `${whole}.${digits.slice(exponent + 1) || "0"}`;
}

function scientific(digits, exponent) {
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : "";
  const sign = exponent < 0 ? "-" : "+";
  return `${digits[0]}${fraction}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

const UNITS = ["bytes", "kB", "MB", "GB", "TB"];

/** Return a number of bytes for people, in steps of 1000. */
export function bytesText(bytes) {
  let step = 0;
  let size = bytes;
  while (size >= 999.5 && step < UNITS.length - 1) {
    size /= 1000;
    step += 1;
  }
  return `${step && size < 9.95 ? size.toFixed(1) : size.toFixed(0)} ${UNITS[step]}`;
}

/** Return seconds for people: 7 s, 2 min 05 s. */
export function secondsText(seconds) {
  const whole = Math.floor(seconds);
  if (whole < 60) return `${whole} s`;
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}

/** Return a number with its noun: 1 row, 2 rows. */
export const counted = (number, noun, nouns = `${noun}s`) => `${number} ${number === 1 ? noun : nouns}`;
