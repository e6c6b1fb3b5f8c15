// One recorded value: as a conversation where it holds messages, and always as JSON.

import { CopyButton } from "./copy.js";
import { html, useMemo, useState } from "./library.js";
import { JsonView } from "./json_view.js";
import { findMessages, Messages } from "./messages.js";

export function Body({ title, value, cut, closed = false }) {
  const opened = useMemo(() => openJson(value), [value]);
  const messages = useMemo(() => findMessages(opened), [opened]);
  const [asJson, setAsJson] = useState(false);
  if (isAbsent(value)) return null;
  const shown = messages && !asJson;
  return html`
    <details class="body" open=${!closed}>
      <summary><h3>${title}</h3></summary>
      <div class="body-tools">
        ${messages &&
        html`<button type="button" class="chip" aria-pressed=${asJson} onClick=${() => setAsJson(!asJson)}>JSON</button>`}
        <${CopyButton} label=${`Copy ${title.toLowerCase()}`} text=${() => formatValue(value)} />
      </div>
      ${cut && html`<p class="notice">Too long to be shown whole: this is its beginning.</p>`}
      ${shown ? html`<${Messages} messages=${messages} />` : html`<${JsonView} value=${opened} />`}
    </details>
  `;
}

const isAbsent = (value) =>
  value === null || value === undefined || value === "" ||
  (typeof value === "object" && !Object.keys(value).length);

const formatValue = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

/** The value of a text that is JSON of an object or a list; anything else as it is. */
function openJson(value) {
  if (typeof value !== "string" || !/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
