// Messages of model calls, read as a conversation: OpenAI, Anthropic, Gemini and LangChain shapes.

import { html } from "./library.js";
import { JsonView, markAttachments } from "./json_view.js";

const PLACES = ["messages", "contents", "input", "choices", "output", "generations"];
const ROLES = { human: "user", ai: "assistant", model: "assistant", developer: "system" };
const IMAGES = ["image", "image_url", "input_image"];
const MESSAGES_SHOWN = 200;

/** The messages in a recorded value; null where it holds none. */
export function findMessages(value) {
  const found = readList(value) ?? readPlaces(value) ?? readSingle(value);
  return found?.length ? found.slice(-MESSAGES_SHOWN) : null;
}

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

function readPlaces(value) {
  if (!isObject(value)) return null;
  for (const place of PLACES) {
    const found = readList(value[place]);
    if (found) return found;
  }
  return null;
}

/** A list of which every item is a message; a batch of one list is that list. */
function readList(value) {
  if (!Array.isArray(value) || !value.length) return null;
  if (value.length === 1 && Array.isArray(value[0])) return readList(value[0]);
  const messages = value.map(readMessage);
  return messages.every(Boolean) ? messages : null;
}

function readSingle(value) {
  const message = isObject(value) && (value.role || value.message) ? readMessage(value) : null;
  return message && [message];
}

function readMessage(item) {
  if (!isObject(item)) return null;
  const inner = item.message ?? item.kwargs ?? item;
  if (!isObject(inner)) return null;
  const role = inner.role ?? inner.type ?? item.type;
  const content = inner.content ?? inner.parts ?? inner.text;
  const calls = inner.tool_calls ?? [];
  if (typeof role !== "string" || (content === undefined && !calls.length)) return null;
  return {
    role: ROLES[role] ?? role,
    name: inner.name ?? inner.tool_call_id ?? "",
    parts: [...readParts(content), ...(Array.isArray(calls) ? calls.map(readCall) : [])],
  };
}

function readParts(content) {
  if (content === null || content === undefined || content === "") return [];
  if (typeof content === "string") return [{ text: content }];
  return (Array.isArray(content) ? content : [content]).map(readPart);
}

function readPart(part) {
  if (typeof part === "string") return { text: part };
  if (!isObject(part)) return { value: part };
  if (typeof part.text === "string") return { text: part.text };
  if (part.type === "tool_use" || part.functionCall) return readCall(part.functionCall ?? part);
  if (part.type === "tool_result") return { label: "result", value: part.content };
  if (IMAGES.includes(part.type)) return { label: "image", value: part };
  return { value: part };
}

function readCall(call) {
  const called = call.function ?? call;
  return { label: `calls ${called.name ?? "a tool"}`, value: openText(called.arguments ?? called.args ?? called.input) };
}

function openText(value) {
  try {
    return typeof value === "string" ? JSON.parse(value) : value;
  } catch {
    return value;
  }
}

export const Messages = ({ messages }) => html`
  <ol class="messages">
    ${messages.map(
      ({ role, name, parts }) => html`
        <li class=${`message ${role}`}>
          <span class="role">${role}${name && html` <span>${name}</span>`}</span>
          ${parts.map(({ text, label, value }) =>
            text === undefined
              ? html`<div class="part">${label && html`<b>${label}</b>`} <${JsonView} value=${value ?? null} /></div>`
              : html`<p>${markAttachments(text)}</p>`,
          )}
        </li>
      `,
    )}
  </ol>
`;
