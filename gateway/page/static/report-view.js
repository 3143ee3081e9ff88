/** The report of a study: what became of each series, and what was not used, and why. */

import { element } from "./elements.js";
import { sentenceOf } from "./problem.js";
import { ownWords } from "./problem-view.js";
import { counted, meaningText, t, words } from "./words.js";

/** Return the report to be opened; its line says whether there is anything to see. */
export function reportOf(report) {
  const series = report.series ?? [];
  const skipped = series.filter(({ status }) => status === "skipped");
  const regions = report.regions_skipped ?? [];
  const notDicom = report.entries_not_dicom ?? [];
  const line = [
    counted(series.length - skipped.length, "Report: {n} series was used", "Report: {n} series were used"),
    skipped.length ? counted(skipped.length, "{n} skipped", "{n} skipped") : "",
    regions.length ? counted(regions.length, "{n} region not drawn", "{n} regions not drawn") : "",
    notDicom.length ? counted(notDicom.length, "{n} file not DICOM", "{n} files not DICOM") : "",
  ];
  return element("details", { class: "report" },
    element("summary", {}, line.filter(Boolean).join(", ")),
    element("ul", { class: "codes" },
      ...series.map(seriesLine),
      ...regions.map(regionLine),
      ...notDicomLine(notDicom),
      ...(report.warnings ?? []).map(warningLine)));
}

const STATES = { used: words("used"), regions: words("regions of interest"), skipped: words("skipped") };

function seriesLine({ status, modality, instances, series_uid: uid, stack, code, reason }) {
  const what = `${modality}, ${counted(instances, "{n} object", "{n} objects")}${stack ? `, ${stack}` : ""}`;
  return element("li", {},
    element("span", { class: `severity ${status === "skipped" ? "warn" : "info"}` }, t(STATES[status] ?? status)),
    meaningOf(code, reason, (sentence) => (sentence ? `${what}: ${sentence}` : what)),
    element("span", { class: "facts uid" }, uid));
}

function regionLine({ name, number, code, sentence, reason }) {
  return element("li", {},
    element("span", { class: "severity warn" }, t("not drawn")),
    meaningOf(code, sentence ?? reason, (said) => t("region {name}: {sentence}", { name: name || number, sentence: said })));
}

/** Return why something was not used: `said` puts the reason into a text. */
function meaningOf(code, reason, said) {
  const meaning = meaningText(code);
  return element("div", { class: "meaning" }, `${said(meaning || (reason ?? ""))} `, code ? element("code", {}, code) : null,
    meaning ? ownWords(sentenceOf(reason ?? "")) : null);
}

function notDicomLine(numbers) {
  if (!numbers.length) return [];
  return [element("li", {},
    element("span", { class: "severity info" }, t("not DICOM")),
    element("span", { class: "meaning" }, t("entries of the zip: {numbers}", { numbers: `${numbers.slice(0, 20).join(", ")}${numbers.length > 20 ? " …" : ""}` })))];
}

const WARNINGS = {
  copies_left_out: words("objects that the zip has more than once were taken once"),
  uids_absent: words("objects name no study or no series, and were taken for one series"),
};

function warningLine({ code, number }) {
  return element("li", {},
    element("span", { class: "severity warn" }, t("put right")),
    element("span", { class: "meaning" }, `${number} ${WARNINGS[code] ? t(WARNINGS[code]) : ""} `, element("code", {}, code)));
}
