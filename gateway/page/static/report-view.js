/** The report of a study: what became of each series, and what was not used, and why. */

import { element } from "./elements.js";
import { counted } from "./numbers.js";

/** Return the report to be opened; its line says whether there is anything to see. */
export function reportOf(report) {
  const series = report.series ?? [];
  const skipped = series.filter(({ status }) => status === "skipped");
  const regions = report.regions_skipped ?? [];
  const notDicom = report.entries_not_dicom ?? [];
  const line = [
    `Report: ${counted(series.length - skipped.length, "series", "series")} used`,
    skipped.length ? `${skipped.length} skipped` : "",
    regions.length ? `${counted(regions.length, "region")} not drawn` : "",
    notDicom.length ? `${counted(notDicom.length, "file")} not DICOM` : "",
  ];
  return element("details", { class: "report" },
    element("summary", {}, line.filter(Boolean).join(", ")),
    element("ul", { class: "codes" },
      ...series.map(seriesLine),
      ...regions.map(regionLine),
      ...notDicomLine(notDicom),
      ...(report.warnings ?? []).map(warningLine)));
}

const STATES = { used: "used", regions: "regions of interest", skipped: "skipped" };

function seriesLine({ status, modality, instances, series_uid: uid, stack, code, reason }) {
  const what = `${modality}, ${counted(instances, "object")}${stack ? `, ${stack}` : ""}`;
  return element("li", {},
    element("span", { class: `severity ${status === "skipped" ? "warn" : "info"}` }, STATES[status] ?? status),
    element("span", { class: "meaning" }, reason ? `${what}: ${reason} ` : `${what} `,
      code ? element("code", {}, code) : null),
    element("span", { class: "facts uid" }, uid));
}

function regionLine({ name, number, code, sentence, reason }) {
  return element("li", {},
    element("span", { class: "severity warn" }, "not drawn"),
    element("span", { class: "meaning" }, `region ${name || number}: ${sentence ?? reason ?? ""} `, element("code", {}, code)));
}

function notDicomLine(numbers) {
  if (!numbers.length) return [];
  return [element("li", {},
    element("span", { class: "severity info" }, "not DICOM"),
    element("span", { class: "meaning" }, `entries of the zip: ${numbers.slice(0, 20).join(", ")}${numbers.length > 20 ? " …" : ""}`))];
}

const WARNINGS = {
  copies_left_out: "objects that the zip has more than once were taken once",
  uids_absent: "objects name no study or no series, and were taken for one series",
};

function warningLine({ code, number }) {
  return element("li", {},
    element("span", { class: "severity warn" }, "put right"),
    element("span", { class: "meaning" }, `${number} ${WARNINGS[code] ?? ""} `, element("code", {}, code)));
}
