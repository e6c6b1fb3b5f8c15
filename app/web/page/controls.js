// Small parts that all views share: icons, buttons, notices, badges.

import { html } from "./library.js";

const ICONS = {
  attachment: "M20 11l-8 8a5 5 0 0 1-7-7l8-8a3.3 3.3 0 0 1 5 5l-8 8a1.7 1.7 0 0 1-3-2l7-7",
  back: "M15 5l-7 7 7 7",
  bin: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  chevron: "M9 6l6 6-6 6",
  close: "M6 6l12 12M18 6L6 18",
  copy: "M9 9h11v11H9zM15 9V4H4v11h5",
  down: "M7 13V4H4v9zM7 13l4 8c2 0 3-1 3-3v-4h5c1 0 2-1 2-2l-2-7c0-1-1-1-2-1H7",
  export: "M12 4v11M7 11l5 5 5-5M5 20h14",
  next: "M9 5l7 7-7 7",
  pencil: "M4 20l1-5L16 4l4 4L9 19z",
  plus: "M12 5v14M5 12h14",
  refresh: "M20 11a8 8 0 1 0-2 6M20 5v6h-6",
  send: "M12 19V5M6 11l6-6 6 6",
  stop: "M7 7h10v10H7z",
  talks: "M4 5h16v11H9l-5 4z",
  tick: "M5 13l4 4L19 7",
  up: "M7 11v9H4v-9zM7 11l4-8c2 0 3 1 3 3v4h5c1 0 2 1 2 2l-2 7c0 1-1 1-2 1H7",
};

/** A drawing, hidden from screen readers: its button has the words. */
export const Icon = ({ name }) => html`
  <svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=${ICONS[name]} /></svg>
`;

/** A button that shows only an icon. */
export const IconButton = ({ icon, label, class: kind = "", ...rest }) => html`
  <button type="button" class=${`quiet ${kind}`} title=${label} aria-label=${label} ...${rest}>
    <${Icon} name=${icon} />
  </button>
`;

/** A sentence in place of content; what failed can be tried again. */
export const Notice = ({ children, bad = false, retry }) => html`
  <div class=${bad ? "notice bad" : "notice"} role=${bad ? "alert" : null}>
    ${children}
    ${retry && html`<button type="button" class="chip" onClick=${retry}>Try again</button>`}
  </div>
`;

export const Badge = ({ children, kind = "", title }) => html`
  <span class=${`badge ${kind}`} title=${title}>${children}</span>
`;

/** Text for screen readers only. */
export const Unseen = ({ children }) => html`<span class="unseen">${children}</span>`;
