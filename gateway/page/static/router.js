/** Which view the address asks for. Addresses are real: they can be reloaded, kept, and gone back to. */

/** Names of views by the part of the address behind the #; what is in brackets is handed to the view. */
const ROUTES = [
  [/^#\/cohorts$/, "home"],
  [/^#\/albums$/, "albums"],
  [/^#\/albums\/([A-Za-z0-9]{1,32})$/, "album"],
  [/^#\/dicomweb$/, "dicomweb"],
  [/^#\/files$/, "files"],
  [/^#\/jobs\/([\w-]{1,64})$/, "job"],
];

export const UPLOADS = "uploads";

/** Return {name, id} of the view that the address asks for; what is not known is the first one. */
export function viewOfAddress() {
  for (const [pattern, name] of ROUTES) {
    const found = pattern.exec(location.hash);
    if (found) return { name, id: found[1] ?? "" };
  }
  return { name: UPLOADS, id: "" };
}
