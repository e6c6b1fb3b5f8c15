// A JSON value that opens level by level; what is closed is not drawn.

import { Icon } from "./controls.js";
import { html, useState } from "./library.js";

const OPEN_LEVELS = 2;
const OPEN_ENTRIES = 20; // of an object that is opened at first; a longer one is opened by hand
const ENTRIES_DRAWN = 100;
const TEXT_SHOWN = 2000;
const ATTACHMENT = /\[((?:input|output|metadata)-attachment-[\w-]+\.[a-z0-9]+)\]/g;

export const JsonView = ({ value }) => html`
  <div class="json"><${Value} value=${value} level=${0} /></div>
`;

function Value({ value, level }) {
  if (value === null || typeof value !== "object") return html`<${Leaf} value=${value} />`;
  return html`<${Entries} value=${value} level=${level} />`;
}

function Leaf({ value }) {
  const [whole, setWhole] = useState(false);
  if (typeof value !== "string") return html`<span class=${`json-${typeof value}`}>${String(value)}</span>`;
  const text = whole ? value : value.slice(0, TEXT_SHOWN);
  return html`
    <span class="json-string">${markAttachments(text)}</span>
    ${text.length < value.length &&
    html`<button type="button" class="more" onClick=${() => setWhole(true)}>
      … ${value.length - text.length} more characters
    </button>`}
  `;
}

/** A text with the placeholders of attachments as such. */
export function markAttachments(text) {
  const parts = text.split(ATTACHMENT);
  if (parts.length === 1) return text;
  return parts.map((part, index) =>
    index % 2 ? html`<span class="badge file"><${Icon} name="attachment" />${part}</span>` : part,
  );
}

function Entries({ value, level }) {
  const keys = Object.keys(value);
  const isList = Array.isArray(value);
  const [open, setOpen] = useState(level < OPEN_LEVELS && keys.length <= OPEN_ENTRIES);
  const [drawn, setDrawn] = useState(ENTRIES_DRAWN);
  if (!keys.length) return html`<span class="json-empty">${isList ? "[]" : "{}"}</span>`;
  const noun = isList ? "item" : "key";
  return html`
    <button type="button" class="json-fold" aria-expanded=${String(open)} onClick=${() => setOpen(!open)}>
      <${Icon} name="chevron" />
      <span>${isList ? "[" : "{"}${keys.length} ${noun}${keys.length === 1 ? "" : "s"}${isList ? "]" : "}"}</span>
    </button>
    ${open &&
    html`<ul>
      ${keys.slice(0, drawn).map(
        (key) => html`
          <li key=${key}><span class="json-key">${key}</span> <${Value} value=${value[key]} level=${level + 1} /></li>
        `,
      )}
      ${keys.length > drawn &&
      html`<li>
        <button type="button" class="more" onClick=${() => setDrawn(drawn + ENTRIES_DRAWN)}>
          ${keys.length - drawn} more
        </button>
      </li>`}
    </ul>`}
  `;
}
