/** The page: what is dropped becomes studies, studies become rows. */

import { studiesOfDrop, studiesOfInput } from "./dropped.js";
import { byId } from "./elements.js";
import { requestOf, showModels } from "./model-view.js";
import { Results } from "./result-view.js";
import { greetAgain, hideNotices, showLoggedOut, showProblem, showSession } from "./session-view.js";
import { Studies, isActive, isAgainPossible } from "./studies.js";
import { StudyView } from "./study-view.js";

const SECOND_MS = 1000;

/** How soon a service that cannot be reached, or has no model yet, is asked again. */
const ASK_AGAIN_MS = 5000;

const studies = new Studies(onChange);
const results = new Results();
const views = new Map();
const states = new Map();

let mode = null;
let isLoggedOut = false;
let hasNotice = false;
let remark = "";

const actions = {
  cancel: (study) => studies.cancel(study),
  again: (study) => studies.again(study, requestOf() ?? {}),
  remove: (study) => studies.remove(study),
};

/** Draw a study that has changed; what concerns all of them only if its state has. */
function onChange(study) {
  const isListed = studies.list.includes(study);
  if (isListed) viewOf(study).update();
  else forget(study);
  if (isListed && states.get(study) === study.state) return;
  states.set(study, study.state);
  if (study.state === "failed" && study.problem.status === 401) onLoggedOut();
  if (study.state === "done" || !isListed || study.state === "waiting") results.show(studies.list);
  showSummary();
}

function viewOf(study) {
  if (!views.has(study)) {
    const view = new StudyView(study, actions);
    views.set(study, view);
    byId("list").append(view.line);
  }
  return views.get(study);
}

function forget(study) {
  views.get(study)?.line.remove();
  views.delete(study);
  states.delete(study);
}

/** Say how all studies are doing; a reader of the screen hears it when it changes. */
function showSummary() {
  const list = studies.list;
  const count = (state) => list.filter((study) => study.state === state).length;
  const parts = [
    `${count("done")} of ${list.length} done`,
    count("failed") ? `${count("failed")} failed` : "",
    count("cancelled") ? `${count("cancelled")} cancelled` : "",
    remark,
  ];
  byId("summary").textContent = list.length || remark ? parts.filter(Boolean).join(", ") : "";
  byId("list").hidden = !list.length;
  byId("cancel-all").hidden = !studies.isBusy;
  byId("again-all").hidden = !list.some(({ state }) => state === "failed");
  byId("clear").hidden = !list.some((study) => !isActive(study));
}

/** Add what was dropped or chosen; `found` gives its studies. */
async function take(found) {
  remark = "";
  try {
    const sources = await found();
    await started;
    const request = requestOf();
    if (!request) {
      remark = "nothing was sent, since no network is there to send it to: drop it again later";
      return;
    }
    const doubled = studies.add(sources, request);
    if (!sources.length) remark = "nothing to send was found in what was dropped";
    if (doubled.length) remark = `${doubled.join(", ")} is in the list already`;
  } catch {
    remark = "what was dropped cannot be read";
  } finally {
    showSummary();
  }
}

function listenToDrops() {
  let depth = 0;
  const light = (change) => {
    depth = Math.max(0, depth + change);
    byId("drop").classList.toggle("over", depth > 0);
  };
  // On the whole page: a file that is dropped beside the field would replace the page.
  addEventListener("dragenter", () => light(1));
  addEventListener("dragleave", () => light(-1));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    light(-Infinity);
    const { dataTransfer } = event;
    const found = studiesOfDrop(dataTransfer);
    take(() => found);
  });
  for (const id of ["files", "folder"]) {
    byId(id).addEventListener("change", ({ target }) => {
      const chosen = studiesOfInput(target.files);
      target.value = ""; // so that the same folder can be chosen again
      take(() => chosen);
    });
  }
}

function listenToButtons() {
  byId("cancel-all").addEventListener("click", () => studies.list.forEach(actions.cancel));
  byId("again-all").addEventListener("click", () => studies.list.filter(isAgainPossible).forEach(actions.again));
  byId("clear").addEventListener("click", () => {
    const finished = studies.list.filter((study) => !isActive(study));
    const rows = finished.reduce((sum, { answer }) => sum + (answer?.rows.length ?? 0), 0);
    if (rows && !confirm(`Remove ${finished.length} studies and their ${rows} rows from this page?`)) return;
    finished.forEach(actions.remove);
  });
  addEventListener("beforeunload", (event) => {
    if (studies.isBusy) event.preventDefault();
  });
}

function onLoggedOut() {
  isLoggedOut = hasNotice = true;
  studies.hold();
  showLoggedOut(mode);
}

/** Ask who is logged in and what models there are; go on with what waited for it. */
async function begin() {
  try {
    ({ mode } = await showSession());
    if (!(await showModels())) setTimeout(begin, ASK_AGAIN_MS);
  } catch (problem) {
    hasNotice = true;
    if (problem.status === 401) {
      onLoggedOut();
      return;
    }
    showProblem(problem);
    setTimeout(begin, ASK_AGAIN_MS);
    return;
  }
  if (hasNotice) hideNotices();
  hasNotice = isLoggedOut = false;
  studies.release();
}

function listenToReturns() {
  const again = () => {
    if (!document.hidden && isLoggedOut) begin();
  };
  document.addEventListener("visibilitychange", again);
  addEventListener("focus", again);
  // A page that the browser kept still shows rows: not to somebody who is not logged in any more.
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) showSession().catch(() => location.reload());
  });
}

listenToDrops();
listenToButtons();
listenToReturns();
setInterval(() => views.forEach((view) => view.tick()), SECOND_MS);
const started = begin();
await started;
if (!isLoggedOut) greetAgain();
