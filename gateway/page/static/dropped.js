/** What was dropped or chosen, as studies: each zip is one, each folder, and all loose files. */

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
  for (const each of taken.filter(Boolean)) {
    if (each instanceof File) found.push({ path: [each.name], file: each });
    else await walk(each, [], found);
  }
  return studiesOf(found);
}

/** Return the studies of an <input type="file">, of files or of a folder. */
export function studiesOfInput(files) {
  const found = [...files].map((file) => ({
    path: file.webkitRelativePath ? file.webkitRelativePath.split("/") : [file.name],
    file,
  }));
  return studiesOf(found);
}

async function walk(entry, above, found) {
  const path = [...above, entry.name];
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    found.push({ path, file });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    // A browser gives a hundred entries at a time, and none at the end.
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return;
    for (const each of some) await walk(each, path, found);
  }
}

/**
 * Return files with their paths as studies: {name, isZip, files, bytes, leftOut, key}.
 * A zip inside of a folder is a study of its own, as it is on the command line.
 */
export function studiesOf(found) {
  const zips = [];
  const groups = new Map();
  for (const { path, file } of found) {
    const group = path.length > 1 ? path[0] : "";
    if (path.some((part) => LEFT_BY_SYSTEMS.test(part))) groupOf(groups, group).leftOut += 1;
    else if (isZip(file)) zips.push(study({ name: path.join("/"), isZip: true, files: [file] }));
    else groupOf(groups, group).files.push(file);
  }
  const folders = [...groups.values()].filter(({ files }) => files.length);
  return [...zips, ...folders.map((group) => study({ ...group, name: nameOf(group) }))];
}

function groupOf(groups, name) {
  if (!groups.has(name)) groups.set(name, { name, isZip: false, files: [], leftOut: 0 });
  return groups.get(name);
}

function nameOf({ name, files }) {
  return name || (files.length === 1 ? files[0].name : `${files.length} files`);
}

function study({ name, isZip, files, leftOut = 0 }) {
  const bytes = files.reduce((sum, file) => sum + file.size, 0);
  const changed = files.reduce((sum, file) => sum + file.lastModified, 0);
  return { name, isZip, files, bytes, leftOut, key: [name, files.length, bytes, changed].join("\n") };
}
