/** The picture of a row: three middle planes at once, all planes when somebody wants to look. */

import { element } from "../elements.js";
import { numberText, t, words } from "../words.js";

const ZOOMS = [["fit", words("Whole")], ["twice", words("Larger")], ["most", words("Largest")]];

/** Return the part of a row that shows what the network saw. picture: an image, null if there is none. */
export class PicturePanel {
  #entry;
  #stop = new AbortController();
  #status = element("p", { class: "facts", role: "status" });
  #problem = element("div", {});

  constructor(entry, picture) {
    this.#entry = entry;
    this.element = element("div", { class: "picture-panel" }, ...(picture ? this.#withPicture(picture) : this.#without()), this.#status, this.#problem);
  }

  /** Somebody looks at something else now. */
  close() {
    this.#stop.abort(new DOMException("", "AbortError"));
  }

  /** The picture can be made larger than its field, which scrolls then, also by arrow keys. */
  #withPicture(picture) {
    const pan = element("div", { class: "pan fit", tabindex: "0", role: "group", "aria-label": t("What the network saw") }, picture);
    if (this.#entry.stack) {
      pan.classList.add("opens");
      pan.addEventListener("click", () => this.#load());
    }
    const buttons = ZOOMS.map(([size, name]) =>
      element("button", { type: "button", "aria-pressed": String(size === "fit"), onclick: ({ currentTarget }) => {
        ZOOMS.forEach(([each]) => pan.classList.toggle(each, each === size));
        buttons.forEach((each) => each.setAttribute("aria-pressed", String(each === currentTarget)));
      } }, t(name)));
    const line = this.#entry.row.roi_number == null ? "" : t("The line runs around the region.");
    return [
      pan,
      element("div", { class: "under-picture" },
        element("p", { class: "facts" }, t("Axial, coronal and sagittal middle plane; the patient's right is on the left."), " ", line),
        element("div", { class: "buttons" }, this.#button(t("Scroll through all planes")),
          element("div", { class: "segments", role: "group", "aria-label": t("Size of the picture") }, ...buttons))),
    ];
  }

  #without() {
    const button = this.#button(t("Show what the network saw"));
    return [
      element("p", { class: "facts" }, t("There is no picture: none is kept with rows.")),
      ...(button ? [element("p", { class: "buttons" }, button)] : []),
    ];
  }

  #button(text) {
    return this.#entry.stack ? element("button", { type: "button", class: "planes-open", onclick: () => this.#load() }, text) : null;
  }

  async #load() {
    const button = this.element.querySelector(".planes-open");
    if (button.disabled) return;
    button.disabled = true;
    this.#problem.replaceChildren();
    const { signal } = this.#stop;
    try {
      const [{ volumeOf }, { Viewer }] = await Promise.all([import("./volume.js"), import("./viewer.js")]);
      const volume = await volumeOf(await this.#entry.stack({ signal, onProgress: (share) => this.#tell(share) }));
      if (signal.aborted) return;
      const viewer = new Viewer(volume, this.#entry.row);
      this.element.replaceChildren(viewer.element, element("p", { class: "facts" }, t("Drag in a plane to move the cross-hairs; turn the wheel over it, or use its slider and arrow keys, to scroll.")));
      viewer.focus();
    } catch (problem) {
      if (signal.aborted) return;
      button.disabled = false;
      this.#status.textContent = "";
      this.#problem.replaceChildren(element("p", { class: "notice warn", role: "alert" }, `${problem.message} `, element("code", {}, problem.code ?? "")));
    }
  }

  #tell(share) {
    this.#status.textContent = share < 1
      ? t("The study is sent once more, for its picture: {share} %", { share: numberText(Math.floor(100 * share)) })
      : t("The picture is being made …");
  }
}
