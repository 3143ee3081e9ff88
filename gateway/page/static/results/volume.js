/** All planes of what the network saw, out of the one picture that holds them: docs/contract.md. */

/** Directions of an upright volume: from the patient's right to the left, from front to back, from feet to head. */
export const ACROSS = 0, BACK = 1, HEAD = 2;

/**
 * Return a picture as a volume: {shape, voxelMm, grey, regions}. shape: columns, rows and planes; grey:
 * 0 to 255, columns the fastest and planes the slowest; regions: {name, inside}, 0 where it is not.
 */
export async function volumeOf({ preview, picture }) {
  const { shape, voxel_mm: voxelMm, regions: names } = picture;
  const { pixels, width } = await pixelsOf(preview);
  const sheet = (number) => sheetOf(pixels, { width, shape, across: picture.across, number });
  const sheets = Array.from({ length: Math.ceil(names.length / 8) }, (_, number) => sheet(number + 1));
  const regions = names.map((name, at) => ({ name, inside: sheets[at >> 3].map((bits) => (bits >> (at & 7)) & 1) }));
  return { shape, voxelMm, grey: sheet(0), regions };
}

async function pixelsOf(preview) {
  const bytes = Uint8Array.from(atob(preview), (each) => each.charCodeAt(0));
  // As they are: a browser that fits colours to a screen would change greys, and bits.
  const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }), { colorSpaceConversion: "none" });
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  return { pixels: context.getImageData(0, 0, bitmap.width, bitmap.height).data, width: bitmap.width };
}

function sheetOf(pixels, { width, shape: [columns, rows, planes], across, number }) {
  const found = new Uint8Array(columns * rows * planes);
  const top = number * Math.ceil(planes / across) * rows;
  for (let plane = 0; plane < planes; plane += 1) {
    const left = (plane % across) * columns;
    const line = top + Math.floor(plane / across) * rows;
    for (let row = 0; row < rows; row += 1) {
      const from = (line + row) * width + left;
      const to = (plane * rows + row) * columns;
      for (let column = 0; column < columns; column += 1) found[to + column] = pixels[4 * (from + column)];
    }
  }
  return found;
}

/** Return by how much an index in a volume grows along each direction. */
export const stridesOf = ([columns, rows]) => [1, columns, columns * rows];
