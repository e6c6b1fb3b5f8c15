// The list of traces: project, search, filters, order; failed ones first at hand.

import * as api from "./api.js";
import { change, linkTo } from "./address.js";
import { Badge, IconButton, Notice, Unseen } from "./controls.js";
import { Filters } from "./filters.js";
import { formatAgo, formatCost, formatCount, formatDuration, formatNumber, formatScore, formatTime } from "./format.js";
import { html, useEffect, useRef, useState } from "./library.js";
import { useLoading } from "./loading.js";
import { moveFocus } from "./roving.js";

const PAGE_SIZE = 50;
const FAILED_SHOWN = 3;
const LOOK_AGAIN_MS = 60_000;

/** The query of the interface for an address of the page. */
function queryOf({ project, q, since, until, failed, slow, cost, tag, thread, sort, page }) {
  return {
    project_id: project,
    search: q,
    since,
    until,
    failed: failed && "true",
    min_duration_ms: slow,
    min_cost: cost,
    tag,
    thread_id: thread,
    sort,
    page,
    size: PAGE_SIZE,
  };
}

export function TraceList({ address }) {
  const query = queryOf(address);
  const key = JSON.stringify([address.workspace, query]);
  const projects = useLoading(api.listProjects, address.workspace);
  const listed = useLoading((signal) => api.listTraces(query, signal), key, { keep: true });
  const plain = !address.page && !address.q && !address.failed && !address.sort && !address.slow;
  useEffect(() => {
    let shown = Date.now();
    const look = () => {
      if (Date.now() - shown < LOOK_AGAIN_MS) return;
      shown = Date.now();
      listed.reload();
    };
    addEventListener("focus", look);
    return () => removeEventListener("focus", look);
  }, [listed.reload]);
  return html`
    <div class="list">
      <div class="list-head">
        <h1>Traces</h1>
        <${IconButton} icon="refresh" label="Look for new traces" onClick=${listed.reload} />
        <p class="total" role="status">${totalOf(listed)}</p>
      </div>
      <${Filters} address=${address} projects=${projects.value ?? []} />
      ${projects.error &&
      html`<${Notice} bad retry=${projects.reload}>${api.describeError(projects.error)}<//>`}
      ${plain && html`<${FailedLately} address=${address} />`}
      <${Listed} listed=${listed} address=${address} />
    </div>
  `;
}

function totalOf({ value, loading }) {
  if (loading && !value) return "Loading…";
  return value ? formatCount(value.total, "trace") : "";
}

/** The newest failed traces, above all others. */
function FailedLately({ address }) {
  const query = { ...queryOf(address), failed: "true", size: FAILED_SHOWN };
  const { value } = useLoading((signal) => api.listTraces(query, signal), JSON.stringify(query));
  if (!value?.traces.length) return null;
  const more = value.total - value.traces.length;
  return html`
    <section class="failed" aria-labelledby="failed-title">
      <h2 id="failed-title">
        Failed lately
        ${more > 0 &&
        html`<a href=${linkTo({ ...address, failed: "1" })}>all ${formatNumber(value.total)}</a>`}
      </h2>
      <${Table} traces=${value.traces} address=${address} label="Traces that failed lately" />
    </section>
  `;
}

function Listed({ listed, address }) {
  const { value, error, loading, reload } = listed;
  if (error) return html`<${Notice} bad retry=${reload}>${api.describeError(error)}<//>`;
  if (!value) return html`<${Notice}>Loading…<//>`;
  if (!value.traces.length) return html`<${Notice}>No traces here.<//>`;
  return html`
    ${!value.sorted &&
    html`<${Notice}>This Opik does not sort traces of a workspace this large: newest first.<//>`}
    <div class=${loading ? "stale" : ""} aria-busy=${loading}>
      <${Table} traces=${value.traces} address=${address} label="Traces" sortable />
    </div>
    <${Pages} value=${value} />
  `;
}

const COLUMNS = [
  ["Trace"],
  ["When", "time"],
  ["Duration", "duration"],
  ["Spans"],
  ["Tokens"],
  ["Cost", "cost"],
];

/** Rows with one place in the tab order; arrow keys go from trace to trace. */
function Table({ traces, address, label, sortable = false }) {
  const body = useRef(null);
  const [current, setCurrent] = useState(0);
  const onKeyDown = (event) => moveFocus(event, body.current, ".what a", setCurrent);
  const active = Math.min(current, traces.length - 1);
  return html`
    <table class="traces" aria-label=${label}>
      <thead>
        <tr>
          ${COLUMNS.map(
            ([title, key]) =>
              html`<${Head} title=${title} sort=${sortable && key} address=${address} />`,
          )}
        </tr>
      </thead>
      <tbody ref=${body} onKeyDown=${onKeyDown}>
        ${traces.map(
          (trace, index) =>
            html`<${Row} key=${trace.id} trace=${trace} address=${address} active=${index === active} />`,
        )}
      </tbody>
    </table>
  `;
}

function Head({ title, sort, address }) {
  if (!sort) return html`<th scope="col">${title}</th>`;
  const current = (address.sort || "time") === sort;
  const wanted = sort === "time" ? undefined : sort;
  return html`
    <th scope="col" aria-sort=${current ? "descending" : "none"}>
      <button type="button" onClick=${() => change({ sort: wanted, page: undefined })}>
        ${title}<span class="arrow" aria-hidden="true">${current ? " ↓" : ""}</span>
        <${Unseen}>, sort by it<//>
      </button>
    </th>
  `;
}

function Row({ trace, address, active }) {
  const { workspace } = address;
  return html`
    <tr class=${trace.error ? "bad" : ""}>
      <td class="what">
        <a href=${linkTo({ workspace, trace: trace.id })} tabindex=${active ? 0 : -1}>
          ${trace.name || "(no name)"}
        </a>
        ${trace.error && html`<span class="fault" title=${trace.error}>${trace.error}</span>`}
        <div class="about">
          ${trace.error && html`<${Badge} kind="bad">failed<//>`}
          ${trace.project_name && !address.project && html`<span>${trace.project_name}</span>`}
          <${Marks} trace=${trace} />
          ${trace.scores.map(
            (score) =>
              html`<span class="badge score" key=${score.name} title="Feedback score">${score.name} ${formatScore(score)}</span>`,
          )}
        </div>
      </td>
      <td class="when">
        ${trace.start_time &&
        html`<time datetime=${trace.start_time} title=${formatTime(trace.start_time)}>
          ${formatAgo(trace.start_time)}
        </time>`}
      </td>
      <td class="number">${formatDuration(trace.duration_ms)}</td>
      <td class="number">
        ${formatNumber(trace.span_count ?? 0)}<span class="noun"> ${trace.span_count === 1 ? "span" : "spans"}</span>
      </td>
      <td class="number">
        ${trace.tokens ? formatNumber(trace.tokens) : ""}<span class="noun">${trace.tokens ? " tokens" : ""}</span>
      </td>
      <td class="number">${formatCost(trace.cost)}</td>
    </tr>
  `;
}

/** Tags and the thread; each filters the list. */
export function Marks({ trace }) {
  const filter = (parts) => linkTo({ project: trace.project_id, ...parts });
  return html`
    ${(trace.tags ?? []).map(
      (tag) => html`<a class="badge" key=${tag} href=${filter({ tag })} tabindex="-1">${tag}</a>`,
    )}
    ${trace.thread_id &&
    html`<a
      class="badge thread"
      href=${filter({ thread: trace.thread_id })}
      title=${`Traces of thread ${trace.thread_id}`}
      tabindex="-1"
    >
      ${trace.thread_id}
    </a>`}
  `;
}

function Pages({ value }) {
  const last = value.last_page;
  const more = value.page >= last && value.total > last * value.size;
  const go = (page) => change({ page: page > 1 ? page : undefined });
  return html`
    ${more && html`<${Notice}>Choose a project to see more of its traces.<//>`}
    ${last > 1 && html`<nav class="pages" aria-label="Pages">
      <${IconButton} icon="back" label="Previous page" disabled=${value.page <= 1} onClick=${() => go(value.page - 1)} />
      <span>Page ${formatNumber(value.page)} of ${formatNumber(last)}</span>
      <${IconButton} icon="next" label="Next page" disabled=${value.page >= last} onClick=${() => go(value.page + 1)} />
    </nav>`}
  `;
}
