// The service's interface: reads for the page, and the conversations about a trace.

import { readAddress } from "./address.js";

const ROOT = new URL("../", document.baseURI).href;

/** An answer that is not 2xx, with the service's message and the request's id to quote. */
export class ServiceError extends Error {
  constructor(status, message, requestId) {
    super(message);
    this.status = status;
    this.requestId = requestId;
  }
}

async function checked(response) {
  if (response.ok) return response;
  let message = "";
  try {
    message = (await response.json()).message ?? "";
  } catch {
    // A proxy's own page has nothing that a reader could use.
  }
  throw new ServiceError(
    response.status,
    message || `The server answered with status ${response.status}.`,
    response.headers.get("X-Request-ID"),
  );
}

function send(path, { method = "GET", query = {}, body, signal, accept } = {}) {
  const kept = Object.entries(query).filter(([, value]) => ![undefined, null, ""].includes(value));
  const url = kept.length ? `${ROOT}${path}?${new URLSearchParams(kept)}` : ROOT + path;
  const headers = { Accept: accept ?? "application/json" };
  const { workspace } = readAddress();
  if (workspace) headers["Comet-Workspace"] = workspace;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  return fetch(url, { method, headers, signal, body: body && JSON.stringify(body) });
}

const read = async (path, options) => (await checked(await send(path, options))).json();

const part = encodeURIComponent;
const traceApi = (id) => `ui/api/traces/${part(id)}`;
const session = (id) => `trace-analyzer/session/${part(id)}`;

/** The projects of the workspace, the one with the newest trace first. */
export const listProjects = async (signal) => (await read("ui/api/projects", { signal })).projects;

/** A page of traces. */
export const listTraces = (query, signal) => read("ui/api/traces", { query, signal });

/** A trace with its bodies. */
export const readTrace = (id, signal) => read(traceApi(id), { signal });

/** The spans of a trace as rows of a waterfall. */
export const readWaterfall = (id, signal) => read(`${traceApi(id)}/spans`, { signal });

/** A span with its bodies. */
export const readSpan = (traceId, spanId, projectId, signal) =>
  read(`${traceApi(traceId)}/spans/${part(spanId)}`, { query: { project_id: projectId }, signal });

/** The files attached to a trace, or to one of its spans. */
export async function listAttachments(traceId, query, signal) {
  return (await read(`${traceApi(traceId)}/attachments`, { query, signal })).attachments;
}

/** The content of a file. */
export async function readAttachment(traceId, query) {
  const path = `${traceApi(traceId)}/attachments/file`;
  return (await checked(await send(path, { query, accept: "*/*" }))).blob();
}

/** Findings, notes and profile of a trace; no model is asked. */
export const readAnalysis = (id, signal) => read(`${session(id)}/analysis`, { signal });

/** Questions to begin with. */
export const readSuggestions = async (id, signal) =>
  (await read(`${session(id)}/suggestions`, { signal })).suggestions;

/** The models that a question may name. */
export const listModels = async () => (await read("models")).models;

/** The messages of a branch of a conversation, and the follow-up questions of its last answer. */
export const readHistory = (id, query) => read(session(id), { query: { ...query, links: "page" } });

/** Asks a question; the answer's body is a stream of frames. */
export async function ask(id, body, query, signal) {
  const options = { method: "POST", query: { ...query, links: "page" }, signal };
  const accept = "text/event-stream";
  const asked = { streaming: true, ...body };
  const response = await checked(await send(session(id), { ...options, accept, body: asked }));
  return { stream: response.body, requestId: response.headers.get("X-Request-ID") };
}

/** The caller's conversations about a trace, the newest first. */
export const listConversations = async (id, signal) =>
  (await read(`${session(id)}/conversations`, { signal })).content;

/** A new, empty conversation. */
export const createConversation = (id) => read(`${session(id)}/conversations`, { method: "POST" });

/** Gives a conversation another title. */
export const renameConversation = (id, conversation, title) =>
  read(`${session(id)}/conversations/${part(conversation)}`, { method: "PATCH", body: { title } });

/** Deletes one conversation. */
export async function deleteConversation(id, conversation) {
  await checked(await send(`${session(id)}/conversations/${part(conversation)}`, { method: "DELETE" }));
}

/** A conversation as a file: its content and its name. */
export async function exportConversation(id, query) {
  const response = await checked(await send(`${session(id)}/export`, { query, accept: "*/*" }));
  const disposition = response.headers.get("Content-Disposition") ?? "";
  const named = /filename\*=UTF-8''(\S+)/.exec(disposition) ?? /filename="([^"]+)"/.exec(disposition);
  return { blob: await response.blob(), name: decodeURIComponent(named?.[1] ?? "conversation") };
}

/** Sets the rating: 1 up, 0 down, null none. */
export async function rate(id, value, query) {
  const method = value === null ? "DELETE" : "PUT";
  const body = value === null ? undefined : { value };
  await checked(await send(`${session(id)}/feedback`, { method, query, body }));
}

/** The sentence for an error of any kind, with the id of the request where it is known. */
export function describeError(error) {
  if (!(error instanceof ServiceError)) {
    return "The service cannot be reached. Check your connection and try again.";
  }
  return error.requestId ? `${error.message} (request ${error.requestId})` : error.message;
}
