/** Which view the address asks for: #/ is uploads, #/cohorts… and #/jobs… are cohorts. */

import { byId } from "./elements.js";

export function startViews() {
  const show = () => {
    const isCohorts = /^#\/(cohorts|jobs)/.test(location.hash);
    byId("view-uploads").hidden = isCohorts;
    byId("view-cohorts").hidden = !isCohorts;
  };
  addEventListener("hashchange", show);
  show();
  return { begin: async () => {} };
}
