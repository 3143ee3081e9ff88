/** Packs files into a zip beside the page, so that the page goes on answering. */

import { ZipWriter } from "./zip.js";

/** How often the page is told, at most: each message is drawn. */
const STEP_MS = 100;

self.onmessage = async ({ data: { files, deflates } }) => {
  const zip = new ZipWriter({ deflates });
  let read = 0;
  let told = 0;
  const onRead = (bytes) => {
    read += bytes;
    if (performance.now() - told > STEP_MS) {
      told = performance.now();
      self.postMessage({ read });
    }
  };
  for (const [index, file] of files.entries()) {
    try {
      await zip.add(file, onRead);
    } catch {
      self.postMessage({ unreadable: index });
      return;
    }
  }
  self.postMessage({ zip: zip.finish() });
};
