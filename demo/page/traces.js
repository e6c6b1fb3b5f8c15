// The list of traces: one project's or all, newest first.

import * as api from "./api.js";
import { iconButton, make } from "./dom.js";
import * as words from "./words.js";

/** The view; `project` is the name of the one to show, null for all. */
export async function tracesView({ project, refresh }) {
  const projects = await api.projects();
  const shown = projects.filter((each) => !project || each.name === project);
  const lists = await Promise.all(shown.map(api.traces));
  const traces = lists.flat().sort((one, other) => (one.start_time < other.start_time ? 1 : -1));
  return make(
    "div",
    { class: "list" },
    make(
      "div",
      { class: "list-head" },
      make("h1", {}, "Traces"),
      iconButton("refresh", "Look for new traces", refresh),
    ),
    make(
      "nav",
      { class: "chips", "aria-label": "Projects" },
      tab("All projects", "/", !project),
      ...projects.map(({ name }) =>
        tab(name, `/?project=${encodeURIComponent(name)}`, name === project),
      ),
    ),
    traces.length ? table(traces) : make("p", { class: "notice" }, "No traces yet."),
  );
}

const tab = (name, href, current) =>
  make("a", { class: "chip", href, "aria-current": current ? "page" : null }, name);

const COLUMNS = ["Trace", "When", "Duration", "Spans", "Cost"];

function table(traces) {
  return make(
    "table",
    { class: "traces" },
    make(
      "thead",
      {},
      make("tr", {}, ...COLUMNS.map((each) => make("th", { scope: "col" }, each))),
    ),
    make("tbody", {}, ...runsOf(traces).flatMap(rowsOf)),
  );
}

/** The traces in runs: those of one name and project that follow each other. */
function runsOf(traces) {
  const runs = [];
  for (const trace of traces) {
    const last = runs.at(-1)?.[0];
    if (last && last.name === trace.name && last.project_name === trace.project_name)
      runs.at(-1).push(trace);
    else runs.push([trace]);
  }
  return runs;
}

const OF_ONE_RUN = 3;

/** The first rows of a run, and a button in place of the others where there are several. */
function rowsOf(run) {
  const others = run.slice(OF_ONE_RUN);
  return others.length > 1 ? [...run.slice(0, OF_ONE_RUN).map(row), folded(others)] : run.map(row);
}

function folded(traces) {
  const onclick = () => replaced.replaceWith(...traces.map(row));
  const words = `${traces.length} more of ${traces[0].name || "(no name)"}`;
  const button = make("button", { type: "button", class: "more", onclick }, words);
  const replaced = make("tr", { class: "folded" }, make("td", { colspan: COLUMNS.length }, button));
  return replaced;
}

function row(trace) {
  const cells = [
    ["when", make("time", { title: words.moment(trace.start_time) }, words.ago(trace.start_time))],
    ["number", words.duration(trace.duration)],
    ["number", counted(trace.span_count ?? 0)],
    ["number", words.cost(trace.total_estimated_cost)],
  ];
  return make(
    "tr",
    {},
    make(
      "td",
      { class: "what" },
      make("a", { href: `/?trace=${trace.id}` }, trace.name || "(no name)"),
      make("div", { class: "about" }, make("span", {}, trace.project_name), ...marksOf(trace)),
    ),
    ...cells.map(([kind, content]) => make("td", { class: kind }, ...[content].flat())),
  );
}

/** The number of spans; its noun is shown where no column's head says it. */
function counted(spans) {
  const [number, noun] = words.count(spans, "span").split(" ");
  return [number, make("span", { class: "noun" }, ` ${noun}`)];
}

/** Errors, tags and the thread, as small marks. */
export function marksOf(trace) {
  const failed = trace.failed_spans;
  const marks = (trace.tags ?? []).map((tag) => make("span", { class: "badge" }, tag));
  if (failed || trace.error_info) {
    const label = failed ? words.count(failed, "error") : "failed";
    marks.unshift(make("span", { class: "badge bad" }, label));
  }
  if (trace.thread_id) {
    const title = `Thread ${trace.thread_id}`;
    marks.push(make("span", { class: "badge thread", title }, trace.thread_id));
  }
  return marks;
}
