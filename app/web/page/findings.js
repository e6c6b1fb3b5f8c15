// What the analysis found in a trace, before any question and without a model.

import * as api from "./api.js";
import { linkTo, readAddress } from "./address.js";
import { Notice } from "./controls.js";
import { formatDuration, formatShare } from "./format.js";
import { html } from "./library.js";

const SPANS_NAMED = 6; // of one finding; the chat has them all
const PATH_SHOWN = 5;

export function Findings({ analysis }) {
  const { value, error, reload } = analysis;
  if (error) return html`<${Notice} bad retry=${reload}>${api.describeError(error)}<//>`;
  if (!value) return html`<p class="notice" role="status">Analysing the trace…</p>`;
  const { findings, notes, profile, complete } = value;
  return html`
    <div class="findings">
      <h2>${findings.length ? "Findings" : "No findings"}</h2>
      <${List} items=${findings} kind="finding" />
      ${notes.length > 0 &&
      html`<details open=${!findings.length}>
        <summary><h3>Notes <small>${notes.length}, unusual but harmless</small></h3></summary>
        <${List} items=${notes} kind="note" />
      </details>`}
      ${profile.critical_path.length > 1 && html`<${Path} path=${profile.critical_path} />`}
      ${!complete && html`<p class="soft">Not everything that is recorded could be read.</p>`}
    </div>
  `;
}

const List = ({ items, kind }) => html`
  <ul class="finding-list">
    ${items.map(
      ({ sentence, spans, confidence }) => html`
        <li class=${kind}>
          <p>${sentence} ${kind === "finding" && html`<small>${formatShare(confidence)} sure</small>`}</p>
          <div class="about">
            ${spans.slice(0, SPANS_NAMED).map((span) => html`<${SpanChip} key=${span.id} span=${span} />`)}
            ${spans.length > SPANS_NAMED && html`<span>and ${spans.length - SPANS_NAMED} more</span>`}
          </div>
        </li>
      `,
    )}
  </ul>
`;

const SpanChip = ({ span }) => html`
  <a class="badge link" href=${linkTo({ trace: readAddress().trace, span: span.id })}>${span.name}</a>
`;

const Path = ({ path }) => html`
  <details>
    <summary><h3>Critical path <small>what the trace waited for</small></h3></summary>
    <ul class="path">
      ${path.slice(0, PATH_SHOWN).map(
        (span) => html`
          <li key=${span.id}>
            <${SpanChip} span=${span} />
            <meter min="0" max="1" value=${span.share} aria-label=${`Share of ${span.name}`}></meter>
            <span>${formatDuration(span.ms)}, ${formatShare(span.share)}</span>
          </li>
        `,
      )}
    </ul>
  </details>
`;
