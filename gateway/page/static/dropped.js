/** What was dropped or chosen, as studies: each zip is one, each folder, and all loose files. */

import { counted } from "./words.js";

/** Left by operating systems; what else is not DICOM, the service's report names by number. */
const LEFT_BY_SYSTEMS = /^(\..*|__MACOSX|Thumbs\.db|desktop\.ini)$/i;

const isZip = (file) => /\.zip$/i.test(file.name);

/**
 * Return the studies of a drop. Its items are gone once the handler of the event has returned:
 * they are taken before the first await.
 */
export async function studiesOfDrop(transfer) {
  const items = [...transfer.items].filter((item) => item.kind === "file");
  const taken = items.map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
  const found = [];
  for (const [top, each] of taken.filter(Boolean).entries()) {
    // Two folders of one name, from two places, are two studies: `top` tells them apart.
    if (each instanceof File) found.push({ top, path: [each.name], file: each });
    else await walk(each, { top, above: [], found });
  }
  return studiesOf(found);
}

/** Return the studies of an <input type="file">, of files or of a folder. */
export function studiesOfInput(files) {
  const found = [...files].map((file) => ({
    top: 0,
    path: file.webkitRelativePath ? file.webkitRelativePath.split("/") : [file.name],
    file,
  }));
  return studiesOf(found);
}

async function walk(entry, { top, above, found }) {
  const path = [...above, entry.name];
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    found.push({ top, path, file });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    // A browser gives a hundred entries at a time, and none at the end.
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return;
    for (const each of some) await walk(each, { top, above: path, found });
  }
}

/**
 * Return files with their paths as studies: {name, isZip, files, bytes, leftOut, key}, in the order
 * in which they were dropped. A zip inside of a folder is a study of its own, as it is on the
 * command line.
 */
export function studiesOf(found) {
  const groups = new Map();
  const groupOf = (key, name, isZip) => {
    if (!groups.has(key)) groups.set(key, { name, isZip, files: [], leftOut: 0 });
    return groups.get(key);
  };
  for (const { top, path, file } of found) {
    const isLeft = path.some((part) => LEFT_BY_SYSTEMS.test(part));
    if (isZip(file) && !isLeft) {
      groupOf(file, path.join("/"), true).files.push(file);
      continue;
    }
    const isLoose = path.length === 1;
    const group = groupOf(isLoose ? "loose" : top, isLoose ? "" : path[0], false);
    if (isLeft) group.leftOut += 1;
    else group.files.push(file);
  }
  return [...groups.values()].filter(({ files }) => files.length).map(study);
}

function nameOf({ name, files }) {
  return name || (files.length === 1 ? files[0].name : counted(files.length, "{n} file", "{n} files"));
}

function study(group) {
  const { isZip, files, leftOut } = group;
  const name = nameOf(group);
  const bytes = files.reduce((sum, file) => sum + file.size, 0);
  const changed = files.reduce((sum, file) => sum + file.lastModified, 0);
  return { name, isZip, files, bytes, leftOut, key: [name, files.length, bytes, changed].join("\n") };
}
