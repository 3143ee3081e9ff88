/** The page: its language, who is logged in, and which view the address asks for. */

import { byId, element } from "./elements.js";
import { Router } from "./router.js";
import { greetAgain, hideNotices, showLoggedOut, showProblem, showSession } from "./session-view.js";
import { Uploads } from "./uploads.js";
import { LANGUAGES, choose, languageNow, onLanguage, speakFirst, textPage } from "./words.js";

/** How soon a service that cannot be reached, or has no model yet, is asked again. */
const ASK_AGAIN_MS = 5000;

let mode = null;
let isLoggedOut = false;
let hasNotice = false;

await speakFirst();
offerLanguages();

let start;
const started = new Promise((resolve) => (start = resolve));
const uploads = new Uploads({ started, onLoggedOut });
const router = new Router();

function onLoggedOut() {
  isLoggedOut = hasNotice = true;
  uploads.hold();
  showLoggedOut(mode);
}

/** Ask who is logged in and what models there are; go on with what waited for it. */
async function begin() {
  try {
    ({ mode } = await showSession());
    if (!(await uploads.choice.load())) setTimeout(begin, ASK_AGAIN_MS);
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
  uploads.release();
  await router.begin(mode);
}

function listenToReturns() {
  const again = () => {
    if (!document.hidden && isLoggedOut) begin();
  };
  document.addEventListener("visibilitychange", again);
  addEventListener("focus", again);
  addEventListener("logged-out", () => isLoggedOut || onLoggedOut());
  // A page that the browser kept still shows rows: not to somebody who is not logged in any more.
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) showSession().catch(() => location.reload());
  });
}

function offerLanguages() {
  const show = () => {
    const options = Object.entries(LANGUAGES).map(([tag, name]) =>
      element("option", { value: tag, lang: tag, selected: tag === languageNow() }, name));
    byId("language").replaceChildren(...options);
    byId("to-help").href = textPage("help");
  };
  byId("language").addEventListener("change", ({ target }) => choose(target.value));
  onLanguage(show);
  onLanguage(() => (isLoggedOut ? showLoggedOut(mode) : showSession().catch(() => {})));
  show();
}

listenToReturns();
await begin();
start();
if (!isLoggedOut) greetAgain();
