// One trace: its spans over time, what is recorded in them, and the conversations about it.

import * as api from "./api.js";
import { change, linkTo } from "./address.js";
import { Chat } from "./chat.js";
import { Badge, Icon, IconButton, Notice } from "./controls.js";
import { Overview, SpanPanel } from "./details.js";
import { formatAgo, formatCost, formatCount, formatDuration, formatTime } from "./format.js";
import { html, useEffect, useMemo, useState } from "./library.js";
import { Marks } from "./list.js";
import { useLoading } from "./loading.js";
import { Waterfall } from "./waterfall.js";

const PANES = [
  ["chat", "Chat"],
  ["spans", "Spans"],
];

export function TraceView({ id, address }) {
  const read = useLoading((signal) => api.readTrace(id, signal), id, { keep: true });
  const spans = useLoading((signal) => api.readWaterfall(id, signal), id, { keep: true });
  // The analysis takes longer: it must not delay the spans.
  const analysis = useLoading((signal) => api.readAnalysis(id, signal), id, {
    keep: true,
    ready: !spans.loading,
  });
  const [pane, setPane] = useState(address.span ? "spans" : "chat");
  const trace = read.value?.trace;
  useEffect(() => {
    if (trace) document.title = `${trace.name || "Trace"} – OpikAssist`;
  }, [trace]);
  useEffect(() => {
    if (address.span) setPane("spans");
  }, [address.span]);
  const names = useMemo(
    () => new Map((spans.value?.spans ?? []).map((row) => [row.id, row.name])),
    [spans.value],
  );
  const reload = () => [read, spans, analysis].forEach((each) => each.reload());
  if (read.error) return html`<${Missing} error=${read.error} retry=${read.reload} />`;
  return html`
    <div class="trace">
      <${Head} trace=${trace} spans=${spans.value} pane=${pane} setPane=${setPane} reload=${reload} />
      <div class="panes" data-pane=${pane}>
        <div class="record">
          <${Spans} spans=${spans} selected=${address.span} />
          ${address.span
            ? html`<${SpanPanel} key=${address.span} traceId=${id} spanId=${address.span} projectId=${trace?.project_id} row=${spans.value?.spans.find((row) => row.id === address.span)} />`
            : html`<${Overview} trace=${read.value} analysis=${analysis} />`}
        </div>
        <${Chat} traceId=${id} names=${names} ready=${!spans.loading} conversation=${address.conversation} />
      </div>
    </div>
  `;
}

function Spans({ spans, selected }) {
  const { value, error, reload } = spans;
  if (error) return html`<${Notice} bad retry=${reload}>${api.describeError(error)}<//>`;
  if (!value) return html`<section class="waterfall" aria-label="Spans"><p class="notice">Loading…</p></section>`;
  return html`<${Waterfall} data=${value} selected=${selected} onSelect=${(span) => change({ span })} />`;
}

const Missing = ({ error, retry }) => html`
  <div class="missing">
    <h1>This trace cannot be shown</h1>
    <${Notice} bad retry=${retry}>${api.describeError(error)}<//>
    <a href=${linkTo({})}>All traces</a>
  </div>
`;

function Head({ trace, spans, pane, setPane, reload }) {
  const failures = spans?.spans.filter((row) => row.error).length;
  return html`
    <header class="trace-head">
      <a class="quiet" href=${linkTo({ project: trace?.project_id })} aria-label="All traces"><${Icon} name="back" /></a>
      <div class="title">
        <h1>${trace ? trace.name || "(no name)" : "Loading…"}</h1>
        <div class="about">
          ${(trace?.error || failures > 0) &&
          html`<${Badge} kind="bad">${failures ? formatCount(failures, "error") : "failed"}<//>`}
          ${trace && html`<${Facts} trace=${trace} spans=${spans} /> <${Marks} trace=${trace} />`}
        </div>
      </div>
      <${IconButton} icon="refresh" label="Read the trace again" onClick=${reload} />
      <div class="switch" role="group" aria-label="Shown">
        ${PANES.map(
          ([name, label]) =>
            html`<button type="button" aria-pressed=${pane === name} onClick=${() => setPane(name)}>${label}</button>`,
        )}
      </div>
    </header>
  `;
}

function Facts({ trace, spans }) {
  const facts = [
    formatDuration(trace.duration_ms),
    spans && formatCount(spans.spans.length, "span"),
    trace.tokens && formatCount(trace.tokens, "token"),
    formatCost(trace.cost),
  ].filter(Boolean);
  return html`
    ${trace.start_time &&
    html`<time datetime=${trace.start_time} title=${formatTime(trace.start_time)}>${formatAgo(trace.start_time)}</time>`}
    <span>${facts.join(" · ")}</span>
  `;
}
