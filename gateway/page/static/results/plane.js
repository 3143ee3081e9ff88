/** One plane of a volume on a canvas: its greys, outlines of regions, and where the others cut it. */

import { ACROSS, BACK, HEAD, stridesOf } from "./volume.js";

/** Which directions a plane shows, and what stands at its sides. Feet are below: rows of planes run down. */
export const KINDS = {
  axial: { through: HEAD, right: ACROSS, down: BACK, letters: "RLAP" },
  coronal: { through: BACK, right: ACROSS, down: HEAD, letters: "RLHF" },
  sagittal: { through: ACROSS, right: BACK, down: HEAD, letters: "APHF" },
};

const CROSSHAIR = "#7cc4dc";
const LETTER = "#d5dde4";

/** Around the place where cross-hairs meet, so that they do not hide it. */
const GAP_PX = 9;

export class Plane {
  #volume;
  #kind;
  #small = document.createElement("canvas");
  #pxPerMm = 1;

  constructor(volume, kind, canvas) {
    this.#volume = volume;
    this.#kind = KINDS[kind];
    this.canvas = canvas;
    [this.#small.width, this.#small.height] = [this.#count(this.#kind.right), this.#count(this.#kind.down)];
  }

  #count(direction) {
    return this.#volume.shape[direction];
  }

  /** Width and height in mm. */
  get mm() {
    const { right, down } = this.#kind;
    return [right, down].map((direction) => this.#count(direction) * this.#volume.voxelMm[direction]);
  }

  /** Give it a size on the screen. */
  resize(pxPerMm) {
    this.#pxPerMm = pxPerMm;
    const ratio = devicePixelRatio || 1;
    const [width, height] = this.mm.map((mm) => Math.max(1, Math.round(mm * pxPerMm)));
    [this.canvas.width, this.canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
  }

  /** Return the place in the volume behind a point of the canvas, in pixels of the page. */
  placeAt(x, y, at) {
    const { right, down } = this.#kind;
    const [width, height] = this.mm.map((mm) => mm * this.#pxPerMm);
    const place = [...at];
    place[right] = this.#within(right, (x / width) * this.#count(right));
    place[down] = this.#within(down, this.#turned(down, (y / height) * this.#count(down)));
    return place;
  }

  #within(direction, value) {
    return Math.min(Math.max(Math.floor(value), 0), this.#count(direction) - 1);
  }

  /** Along the body, numbers grow towards the head, and rows of a canvas towards the feet. */
  #turned(direction, value) {
    return direction === HEAD ? this.#count(direction) - value : value;
  }

  /** Draw it through a place. outlines: {inside, colour} each. */
  draw(at, { outlines, hasCrosshairs }) {
    const context = this.canvas.getContext("2d");
    const { width, height } = this.canvas;
    this.#drawGreys(at);
    context.imageSmoothingEnabled = false;
    context.drawImage(this.#small, 0, 0, width, height);
    for (const outline of outlines) this.#stroke(context, this.#edges(outline.inside, at), outline.colour);
    if (hasCrosshairs) this.#drawCrosshairs(context, at);
    this.#drawLetters(context);
  }

  /** Return where the small picture's pixels are in the volume: `first + u * alongU + v * alongV`. */
  #steps(at) {
    const { through, right, down } = this.#kind;
    const strides = stridesOf(this.#volume.shape);
    const first = at[through] * strides[through];
    const alongU = strides[right];
    if (down !== HEAD) return { first, alongU, alongV: strides[down] };
    return { first: first + (this.#count(HEAD) - 1) * strides[HEAD], alongU, alongV: -strides[HEAD] };
  }

  #drawGreys(at) {
    const { width, height } = this.#small;
    const image = new ImageData(width, height);
    const words = new Uint32Array(image.data.buffer);
    const { first, alongU, alongV } = this.#steps(at);
    for (let v = 0; v < height; v += 1) {
      for (let u = 0; u < width; u += 1) words[v * width + u] = 0xff000000 | (this.#volume.grey[first + u * alongU + v * alongV] * 0x010101);
    }
    this.#small.getContext("2d").putImageData(image, 0, 0);
  }

  /** Return the edges between pixels inside and outside: the line hides nothing of either. */
  #edges(inside, at) {
    const { width, height } = this.#small;
    const [x, y] = [this.canvas.width / width, this.canvas.height / height];
    const { first, alongU, alongV } = this.#steps(at);
    const isIn = (u, v) => u >= 0 && v >= 0 && u < width && v < height && inside[first + u * alongU + v * alongV];
    const path = new Path2D();
    const edge = (fromU, fromV, toU, toV) => {
      path.moveTo(fromU * x, fromV * y);
      path.lineTo(toU * x, toV * y);
    };
    for (let v = 0; v < height; v += 1) {
      for (let u = 0; u < width; u += 1) {
        if (!isIn(u, v)) continue;
        if (!isIn(u - 1, v)) edge(u, v, u, v + 1);
        if (!isIn(u + 1, v)) edge(u + 1, v, u + 1, v + 1);
        if (!isIn(u, v - 1)) edge(u, v, u + 1, v);
        if (!isIn(u, v + 1)) edge(u, v + 1, u + 1, v + 1);
      }
    }
    return path;
  }

  #stroke(context, path, colour) {
    const ratio = devicePixelRatio || 1;
    context.lineCap = "square";
    for (const [style, width] of [["rgb(0 0 0 / 0.5)", 3], [colour, 1.5]]) {
      context.strokeStyle = style;
      context.lineWidth = width * ratio;
      context.stroke(path);
    }
  }

  #drawCrosshairs(context, at) {
    const { right, down } = this.#kind;
    const { width, height } = this.canvas;
    const ratio = devicePixelRatio || 1;
    const x = ((at[right] + 0.5) / this.#count(right)) * width;
    const y = (this.#turned(down, at[down] + 0.5) / this.#count(down)) * height;
    const gap = GAP_PX * ratio;
    const path = new Path2D();
    for (const [fromX, fromY, toX, toY] of [[0, y, x - gap, y], [x + gap, y, width, y], [x, 0, x, y - gap], [x, y + gap, x, height]]) {
      path.moveTo(fromX, fromY);
      path.lineTo(toX, toY);
    }
    context.strokeStyle = CROSSHAIR;
    context.lineWidth = ratio;
    context.stroke(path);
  }

  /** The sides as DICOM names them: right, left, anterior, posterior, head, feet. */
  #drawLetters(context) {
    const ratio = devicePixelRatio || 1;
    const { width, height } = this.canvas;
    const [left, right, above, below] = this.#kind.letters;
    const edge = 9 * ratio;
    context.font = `600 ${11 * ratio}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (const [letter, x, y] of [[left, edge, height / 2], [right, width - edge, height / 2], [above, width / 2, edge], [below, width / 2, height - edge]]) {
      context.strokeStyle = "rgb(0 0 0 / 0.8)";
      context.lineWidth = 3 * ratio;
      context.strokeText(letter, x, y);
      context.fillStyle = LETTER;
      context.fillText(letter, x, y);
    }
  }
}
