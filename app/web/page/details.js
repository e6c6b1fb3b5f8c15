// What is recorded in a trace or a span: facts, error, input, output, metadata, scores, files.

import * as api from "./api.js";
import { change } from "./address.js";
import { Attachments } from "./attachments.js";
import { Body } from "./body.js";
import { Badge, IconButton, Notice } from "./controls.js";
import { Findings } from "./findings.js";
import { formatCost, formatDuration, formatNumber, formatScore, formatTime } from "./format.js";
import { html } from "./library.js";
import { useLoading } from "./loading.js";
import { kindOf } from "./waterfall.js";

const TRACEBACK_LINES = 200;

/** The trace as a whole, beginning with what the analysis found. */
export function Overview({ trace, analysis }) {
  return html`
    <section class="details" aria-label="Trace">
      <${Findings} analysis=${analysis} />
      ${trace
        ? html`
            <${Recorded} details=${trace.details} />
            <${Attachments} traceId=${trace.trace.id} projectId=${trace.trace.project_id} />
          `
        : html`<${Notice}>Loading…<//>`}
    </section>
  `;
}

/** One span; `row` is what the waterfall knows of it. */
export function SpanPanel({ traceId, spanId, projectId, row }) {
  const read = (signal) => api.readSpan(traceId, spanId, projectId, signal);
  const { value: span, error, reload } = useLoading(read, spanId);
  const name = span?.name ?? row?.name;
  return html`
    <section class="details" aria-label="Span" tabindex="-1">
      <header class="details-head">
        ${(span || row) && html`<${Badge} kind=${kindOf(span ?? row)}>${kindOf(span ?? row)}<//>`}
        <h2>${name ?? "Span"}</h2>
        <${IconButton} icon="close" label="Close the span" onClick=${() => change({ span: undefined })} />
      </header>
      ${error && html`<${Notice} bad retry=${reload}>${api.describeError(error)}<//>`}
      ${span
        ? html`
            <${SpanFacts} span=${span} row=${row} />
            <${Recorded} details=${span.details} />
            <${Attachments} traceId=${traceId} spanId=${spanId} projectId=${projectId} />
          `
        : !error && html`<${Notice}>Loading…<//>`}
    </section>
  `;
}

function SpanFacts({ span, row }) {
  const critical = (row?.critical ?? []).reduce((sum, [start, end]) => sum + end - start, 0);
  const tokens = Object.entries(span.details.usage ?? {}).filter(([name]) =>
    ["prompt_tokens", "completion_tokens", "total_tokens"].includes(name),
  );
  const facts = [
    ["Started", span.start_time && formatTime(span.start_time)],
    ["Took", formatDuration(span.duration_ms ?? row?.duration_ms)],
    ["On the critical path", critical ? formatDuration(critical) : ""],
    ["First token after", span.ttft_ms ? formatDuration(span.ttft_ms) : ""],
    ["Model", [span.model, span.provider].filter(Boolean).join(" · ")],
    ...tokens.map(([name, count]) => [name.replaceAll("_", " "), formatNumber(count)]),
    ["Cost", formatCost(span.cost)],
    ["Tags", (span.tags ?? []).join(", ")],
  ];
  return html`
    <dl class="facts">
      ${facts.filter(([, value]) => value).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
    </dl>
  `;
}

function Recorded({ details }) {
  const { error, scores, cut } = details;
  return html`
    ${error && html`<${Fault} error=${error} />`}
    <${Body} title="Input" value=${details.input} cut=${cut.includes("input")} />
    <${Body} title="Output" value=${details.output} cut=${cut.includes("output")} />
    <${Body} title="Metadata" value=${details.metadata} cut=${cut.includes("metadata")} closed />
    ${scores.length > 0 && html`<${Scores} scores=${scores} />`}
  `;
}

function Fault({ error }) {
  const lines = (error.traceback ?? "").trimEnd().split("\n");
  return html`
    <div class="fault-box">
      <p><b>${error.exception_type || "Error"}</b> ${error.message || lines.at(-1)}</p>
      ${error.traceback &&
      html`<details>
        <summary>Traceback</summary>
        <pre tabindex="0">${lines.slice(-TRACEBACK_LINES).join("\n")}</pre>
      </details>`}
    </div>
  `;
}

const Scores = ({ scores }) => html`
  <h3>Scores</h3>
  <ul class="scores">
    ${scores.map(
      ({ name, value, category_name: category, reason }) => html`
        <li><b>${name}</b> ${formatScore({ category, value })} ${reason && html`<span>${reason}</span>`}</li>
      `,
    )}
  </ul>
`;

