// The two interfaces behind this origin: Opik's REST API for traces, the service for the talk.

const OPIK = "/api/v1/private";
const SESSIONS = "/opik-ai/trace-analyzer/session";
const PAGE_SIZE = 500;
const BODIES = JSON.stringify(["input", "output", "metadata"]);

/** The most spans that are listed of one trace. */
export const MOST_SPANS = 2000;

/** An answer that is not 2xx, with the words that came with it. */
export class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function checked(response) {
  if (response.ok) return response;
  let message = "";
  try {
    const body = await response.json();
    message = body.message ?? body.errors?.[0] ?? "";
  } catch {
    // A proxy's page says nothing that a reader could use.
  }
  throw new Refusal(response.status, message || `The server answered ${response.status}.`);
}

async function get(url) {
  return (await checked(await fetch(url, { headers: { Accept: "application/json" } }))).json();
}

async function pages(path, query, most) {
  const found = [];
  for (let page = 1; ; page += 1) {
    const asked = new URLSearchParams({ ...query, page, size: PAGE_SIZE });
    const { content, total } = await get(`${OPIK}${path}?${asked}`);
    found.push(...content);
    if (!content.length || found.length >= Math.min(total, most)) {
      return { found: found.slice(0, most), total };
    }
  }
}

/** All projects of the workspace. */
export async function projects() {
  return (await pages("/projects", {}, PAGE_SIZE)).found;
}

/** The newest traces of a project, without their bodies; each with the number of failed spans. */
export async function traces(project) {
  const query = { project_id: project.id, truncate: "true", exclude: BODIES };
  const failing = { field: "error_info", operator: "is_not_empty", value: "" };
  const [listed, failed] = await Promise.all([
    pages("/traces", query, PAGE_SIZE),
    pages("/spans", { ...query, filters: JSON.stringify([failing]) }, MOST_SPANS),
  ]);
  const counts = Map.groupBy(failed.found, (span) => span.trace_id);
  return listed.found.map((trace) => ({
    ...trace,
    project_name: project.name,
    failed_spans: counts.get(trace.id)?.length ?? 0,
  }));
}

export const trace = (id) => get(`${OPIK}/traces/${encodeURIComponent(id)}`);

export const span = (id) => get(`${OPIK}/spans/${encodeURIComponent(id)}`);

/** The spans of a trace without their bodies, and how many it has in all. */
export function spans({ id, project_id }) {
  const query = { project_id, trace_id: id, truncate: "true", exclude: BODIES };
  return pages("/spans", query, MOST_SPANS);
}

const session = (traceId) => `${SESSIONS}/${encodeURIComponent(traceId)}`;

/** The messages so far; nothing when the conversation has not begun. */
export async function history(traceId) {
  const response = await fetch(session(traceId));
  if (response.status === 404) return [];
  return (await (await checked(response)).json()).content;
}

/** Questions to begin with, as the service suggests them; null where it does not. */
export async function suggestions(traceId) {
  const response = await fetch(`${session(traceId)}/suggestions`);
  if (response.status !== 200) return null;
  const { suggestions: found } = await response.json();
  return Array.isArray(found) ? found.filter((each) => typeof each === "string") : null;
}

/** Puts a question; gives the body of the answer as a stream of bytes. */
export async function ask(traceId, message, signal) {
  const response = await fetch(session(traceId), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ message, streaming: true }),
    signal,
  });
  return (await checked(response)).body;
}

export async function forget(traceId) {
  await checked(await fetch(session(traceId), { method: "DELETE" }));
}

/** Sets the thumb: 1 is up, 0 is down, null takes it back. */
export async function rate(traceId, value) {
  const url = `${session(traceId)}/feedback`;
  if (value === null) {
    await checked(await fetch(url, { method: "DELETE" }));
    return;
  }
  const headers = { "Content-Type": "application/json" };
  await checked(await fetch(url, { method: "PUT", headers, body: JSON.stringify({ value }) }));
}
