/**
 * Writes a zip as PKWARE's APPNOTE.TXT has it: local headers, contents, central directory, and
 * ZIP64 where 32 or 16 bits do not hold a number. The zip is a Blob of parts: contents that are
 * stored are the files themselves, which the browser reads when it sends them.
 */

import { crc32 } from "./crc32.js";

const MOST_32 = 0xffffffff;
const MOST_16 = 0xffff;
const STORED = 0;
const DEFLATED = 8;
const VERSION = 20;
const VERSION_OF_ZIP64 = 45;

/** 1980-01-01, the first day of MS-DOS: the day of a file is nobody's business. */
const DOS_TIME = 0;
const DOS_DATE = 0x21;

const SETTERS = {
  2: (view, at, value) => view.setUint16(at, value, true),
  4: (view, at, value) => view.setUint32(at, value, true),
  8: (view, at, value) => view.setBigUint64(at, BigInt(value), true),
};

/** Return pairs of length and value as little-endian bytes. */
function record(...fields) {
  const view = new DataView(new ArrayBuffer(fields.reduce((sum, [length]) => sum + length, 0)));
  let at = 0;
  for (const [length, value] of fields) {
    SETTERS[length](view, at, value);
    at += length;
  }
  return new Uint8Array(view.buffer);
}

const capped = (value) => Math.min(value, MOST_32);

/** Return the extra field of ZIP64 (4.5.3) with the numbers that 32 bits do not hold. */
function extraOf(...numbers) {
  const large = numbers.filter((number) => number >= MOST_32);
  if (!large.length) return new Uint8Array();
  return record([2, 1], [2, 8 * large.length], ...large.map((number) => [8, number]));
}

/** Return what local header and central directory share (4.3.7, from version to extra length). */
function common(entry, extra) {
  return [
    [2, extra.length ? VERSION_OF_ZIP64 : VERSION],
    [2, 0],
    [2, entry.method],
    [2, DOS_TIME],
    [2, DOS_DATE],
    [4, entry.crc],
    [4, capped(entry.packedBytes)],
    [4, capped(entry.bytes)],
    [2, entry.name.length],
    [2, extra.length],
  ];
}

function localHeader(entry) {
  const bothOrNone = Math.max(entry.bytes, entry.packedBytes) >= MOST_32;
  // 4.5.3: in a local header, both sizes or none.
  const extra = bothOrNone
    ? record([2, 1], [2, 16], [8, entry.bytes], [8, entry.packedBytes])
    : new Uint8Array();
  const sizes = bothOrNone ? { bytes: MOST_32, packedBytes: MOST_32 } : {};
  return [record([4, 0x04034b50], ...common({ ...entry, ...sizes }, extra)), entry.name, extra];
}

function listed(entry) {
  const extra = extraOf(entry.bytes, entry.packedBytes, entry.offset);
  const head = record(
    [4, 0x02014b50],
    [2, extra.length ? VERSION_OF_ZIP64 : VERSION],
    ...common(entry, extra),
    [2, 0],
    [2, 0],
    [2, 0],
    [4, 0],
    [4, capped(entry.offset)],
  );
  return [head, entry.name, extra];
}

/** Return the end of the central directory (4.3.14 to 4.3.16). */
function endOf(entries, bytes, offset) {
  const end = record(
    [4, 0x06054b50],
    [2, 0],
    [2, 0],
    [2, Math.min(entries, MOST_16)],
    [2, Math.min(entries, MOST_16)],
    [4, capped(bytes)],
    [4, capped(offset)],
    [2, 0],
  );
  if (entries < MOST_16 && bytes < MOST_32 && offset < MOST_32) return [end];
  const end64 = record(
    [4, 0x06064b50],
    [8, 44],
    [2, VERSION_OF_ZIP64],
    [2, VERSION_OF_ZIP64],
    [4, 0],
    [4, 0],
    [8, entries],
    [8, entries],
    [8, bytes],
    [8, offset],
  );
  return [end64, record([4, 0x07064b50], [4, 0], [8, offset + bytes], [4, 1]), end];
}

const lengthOf = (parts) => parts.reduce((sum, part) => sum + part.length, 0);

/** Return the CRC-32 of a file; `onRead` is told how many bytes of it were read. */
async function checksum(stream, onRead) {
  const reader = stream.getReader();
  let crc = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return crc;
    crc = crc32(crc, value);
    onRead(value.length);
  }
}

async function stored(file, onRead) {
  return { method: STORED, content: file, crc: await checksum(file.stream(), onRead) };
}

/** Return the file deflated, or stored if that is no longer. */
async function deflated(file, onRead) {
  let crc = 0;
  const checked = new TransformStream({
    transform(piece, controller) {
      crc = crc32(crc, piece);
      onRead(piece.length);
      controller.enqueue(piece);
    },
  });
  const packed = file.stream().pipeThrough(checked).pipeThrough(new CompressionStream("deflate-raw"));
  const content = await new Response(packed).blob();
  return content.size < file.size
    ? { method: DEFLATED, content, crc }
    : { method: STORED, content: file, crc };
}

/**
 * A zip that files are added to. Entries are named by their number, never by the name of their
 * file: names of files carry names of patients.
 */
export class ZipWriter {
  #parts = [];
  #list = [];
  #bytes = 0;
  #deflates;

  /** deflates: whether files are compressed, where that makes them smaller. */
  constructor({ deflates }) {
    this.#deflates = deflates;
  }

  /** Add a file; `onRead` is told how many bytes of it were read, piece by piece. */
  async add(file, onRead) {
    const { method, content, crc } = await (this.#deflates ? deflated : stored)(file, onRead);
    this.append({ method, content, crc, bytes: file.size });
  }

  /** Add content whose checksum is known. */
  append({ method, content, crc, bytes }) {
    const number = String(this.#list.length + 1).padStart(6, "0");
    const name = new TextEncoder().encode(number);
    const entry = { name, method, crc, bytes, packedBytes: content.size, offset: this.#bytes };
    const header = localHeader(entry);
    this.#parts.push(...header, content);
    this.#list.push(entry);
    this.#bytes += lengthOf(header) + content.size;
  }

  /** Return the zip. */
  finish() {
    const list = this.#list.flatMap(listed);
    const end = endOf(this.#list.length, lengthOf(list), this.#bytes);
    return new Blob([...this.#parts, ...list, ...end], { type: "application/zip" });
  }
}
