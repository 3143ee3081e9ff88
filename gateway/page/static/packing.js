/** A folder as a zip, made in the browser. */

import { Problem } from "./problem.js";
import { t } from "./words.js";

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

/** To the same machine, sending is faster than compressing. */
export const deflates = () => !LOOPBACK.includes(location.hostname);

/**
 * Return files as a zip. Rejects with a Problem if one cannot be read, with an AbortError if the
 * signal says stop. `onRead` is told how many bytes of all files were read.
 */
export function pack(files, { signal, onRead }) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./pack-worker.js", import.meta.url), { type: "module" });
    const settle = (how, what) => {
      worker.terminate();
      how(what);
    };
    signal.addEventListener("abort", () => settle(reject, signal.reason), { once: true });
    worker.onerror = (event) => {
      event.preventDefault();
      settle(reject, new Problem("not_packed", t("This browser cannot pack files: zip the folder first.")));
    };
    worker.onmessage = ({ data }) => {
      if (data.zip) settle(resolve, data.zip);
      else if (data.read) onRead(data.read);
      else settle(reject, unreadable(data.unreadable, files));
    };
    worker.postMessage({ files, deflates: deflates() });
  });
}

function unreadable(index, files) {
  return new Problem(
    "not_readable",
    t("File {n} of {all} cannot be read any more. Was it moved, or a disk taken out?", { n: index + 1, all: files.length }),
  );
}
