// The filters of the list: each one is a part of the address, so that a list can be linked to.

import { change } from "./address.js";
import { html, useEffect, useRef, useState } from "./library.js";

const TYPING_MS = 300;
const SLOW_SECONDS = 5;
const COSTLY_DOLLARS = 0.01;

export function Filters({ address, projects }) {
  const set = (parts) => change({ ...parts, page: undefined });
  return html`
    <form class="filters" role="search" onSubmit=${(event) => event.preventDefault()}>
      <label class="field">
        <span>Project</span>
        <select value=${address.project ?? ""} onChange=${(event) => set({ project: event.target.value })}>
          <option value="">All projects</option>
          ${projects.map(({ id, name }) => html`<option key=${id} value=${id} selected=${id === address.project}>${name}</option>`)}
        </select>
      </label>
      <${Typed} label="Search" kind="search" value=${address.q} onValue=${(q) => set({ q })} />
      <button
        type="button"
        class="chip"
        aria-pressed=${Boolean(address.failed)}
        onClick=${() => set({ failed: address.failed ? undefined : "1" })}
      >
        Failed
      </button>
      <${Threshold}
        name="Slow"
        unit="s or longer"
        value=${address.slow && address.slow / 1000}
        initial=${SLOW_SECONDS}
        onValue=${(seconds) => set({ slow: seconds && seconds * 1000 })}
      />
      <${Threshold}
        name="Costly"
        unit="USD or more"
        value=${address.cost}
        initial=${COSTLY_DOLLARS}
        onValue=${(cost) => set({ cost })}
      />
      <${Typed} label="Tag" value=${address.tag} onValue=${(tag) => set({ tag })} />
      <${Typed} label="Thread" value=${address.thread} onValue=${(thread) => set({ thread })} />
      <${Moment} label="From" value=${address.since} onValue=${(since) => set({ since })} />
      <${Moment} label="To" value=${address.until} onValue=${(until) => set({ until })} />
    </form>
  `;
}

/** A field whose text filters shortly after the last key. */
function Typed({ label, value = "", kind = "text", onValue }) {
  const [text, setText] = useState(value);
  const timer = useRef(0);
  useEffect(() => setText(value), [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const take = (event) => {
    const typed = event.target.value;
    setText(typed);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onValue(typed.trim()), TYPING_MS);
  };
  return html`
    <label class=${`field ${label.toLowerCase()}`}>
      <span>${label}</span>
      <input type=${kind} value=${text} maxlength="300" onInput=${take} />
    </label>
  `;
}

/** A point in time: of the browser's zone in the field, of UTC in the address. */
function Moment({ label, value, onValue }) {
  const take = (event) => onValue(event.target.value && new Date(event.target.value).toISOString());
  return html`
    <label class="field">
      <span>${label}</span>
      <input type="datetime-local" value=${formatLocal(value)} onChange=${take} />
    </label>
  `;
}

function formatLocal(value) {
  const time = new Date(value ?? NaN);
  if (Number.isNaN(time.getTime())) return "";
  time.setMinutes(time.getMinutes() - time.getTimezoneOffset());
  return time.toISOString().slice(0, 16);
}

/** A filter that is off, or on with a threshold that can be changed. */
function Threshold({ name, unit, value, initial, onValue }) {
  const on = Boolean(value);
  return html`
    <span class=${on ? "threshold on" : "threshold"}>
      <button type="button" class="chip" aria-pressed=${on} onClick=${() => onValue(on ? undefined : initial)}>
        ${name}
      </button>
      ${on &&
      html`<label>
        <input
          type="number"
          min="0"
          step="any"
          value=${value}
          onChange=${(event) => onValue(Number(event.target.value) || undefined)}
        />
        ${unit}
      </label>`}
    </span>
  `;
}
