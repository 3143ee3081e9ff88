/** CRC-32 as zips have it (ISO 3309, reflected polynomial 0xEDB88320), eight bytes a step. */

const TABLES = tables();

function tables() {
  const all = Array.from({ length: 8 }, () => new Uint32Array(256));
  for (let byte = 0; byte < 256; byte += 1) {
    let remainder = byte;
    for (let bit = 0; bit < 8; bit += 1) {
      remainder = remainder & 1 ? (remainder >>> 1) ^ 0xedb88320 : remainder >>> 1;
    }
    all[0][byte] = remainder;
  }
  for (let byte = 0; byte < 256; byte += 1) {
    for (let table = 1; table < 8; table += 1) {
      const before = all[table - 1][byte];
      all[table][byte] = (before >>> 8) ^ all[0][before & 0xff];
    }
  }
  return all;
}

/** Return the CRC-32 of what `crc` is of, and the bytes behind it. Begin with 0. */
export function crc32(crc, bytes) {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = TABLES;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole = bytes.length - (bytes.length % 8);
  let rest = ~crc;
  let at = 0;
  for (; at < whole; at += 8) {
    const low = view.getUint32(at, true) ^ rest;
    const high = view.getUint32(at + 4, true);
    rest =
      t7[low & 0xff] ^ t6[(low >>> 8) & 0xff] ^ t5[(low >>> 16) & 0xff] ^ t4[low >>> 24] ^
      t3[high & 0xff] ^ t2[(high >>> 8) & 0xff] ^ t1[(high >>> 16) & 0xff] ^ t0[high >>> 24];
  }
  for (; at < bytes.length; at += 1) {
    rest = (rest >>> 8) ^ t0[(rest ^ bytes[at]) & 0xff];
  }
  return ~rest >>> 0;
}
