/** Who is logged in, at the top of the page; and what to do when nobody is any more. */

import { byId, element } from "./elements.js";
import { get } from "./api.js";
import { problemParts } from "./problem-view.js";
import { t } from "./words.js";

/** Says that somebody comes back from a login that this page asked for; nothing about anybody. */
const AGAIN = "again";
const LOGIN_BESIDE = `/login?next=${encodeURIComponent("/")}`;

/** Leads back to the view that is shown now. */
const loginHere = () => `/login?next=${encodeURIComponent(`/?${AGAIN}=1${location.hash}`)}`;

/** Return who is logged in, as the service says it; shown at the top. Rejects with a Problem. */
export async function showSession() {
  const session = await get("/api/session");
  byId("session").replaceChildren(...(session.mode === "local" ? localMode() : person(session)));
  return session;
}

function localMode() {
  return [
    element("span", { class: "badge" }, t("local mode")),
    element("span", { class: "session-note" }, t("Only this computer reaches this page.")),
  ];
}

function person({ name }) {
  return [
    element("span", { class: "session-note" }, name ? t("Logged in as {name}", { name }) : t("Logged in")),
    element("form", { method: "post", action: "/logout" }, element("button", {}, t("Log out"))),
  ];
}

/** Say that the login has ended, with the ways back in. `mode` is null if it was never known. */
export function showLoggedOut(mode) {
  const isLocal = mode === "local";
  byId("session").replaceChildren(isLocal ? "" : element("a", { class: "button", href: loginHere() }, t("Log in")));
  const ways = isLocal ? localWay() : providerWays();
  const title = element("strong", {}, `${t("You are not logged in.")} `);
  byId("notices").replaceChildren(element("div", { class: "notice warn" }, title, ...ways));
}

function localWay() {
  return [t("Open the address that the service printed when it started, in a new tab, and come back: the list goes on by itself.")];
}

function providerWays() {
  return [
    `${t("Studies wait until you are.")} `,
    element("a", { href: LOGIN_BESIDE, target: "_blank", rel: "noopener" }, t("Log in in a new tab")),
    ` ${t("and come back: the list goes on by itself. Or")} `,
    element("a", { href: loginHere() }, t("log in here")),
    t(": then dropped files must be dropped again, since a browser does not keep them."),
  ];
}

export function hideNotices() {
  byId("notices").replaceChildren();
}

/** Say a problem at the top of the page. */
export function showProblem(problem) {
  byId("notices").replaceChildren(element("div", { class: "notice warn" }, ...problemParts(problem)));
}

/** After a login that this page asked for: say that files were not kept. */
export function greetAgain() {
  const address = new URL(location.href);
  if (!address.searchParams.has(AGAIN)) return;
  address.searchParams.delete(AGAIN);
  history.replaceState(history.state, "", address);
  const sentence = t("You are logged in again. Files that were dropped before must be dropped again.");
  byId("notices").replaceChildren(element("div", { class: "notice" }, sentence));
}
