// Above the conversation: its title, and what can be done with it and the others.

import * as api from "./api.js";
import { change } from "./address.js";
import { IconButton, Unseen } from "./controls.js";
import { formatAgo, formatCount } from "./format.js";
import { html, useEffect, useRef, useState } from "./library.js";
import { moveFocus } from "./roving.js";
import { saveFile } from "./save.js";

const LONGEST_TITLE = 200;

export function ChatHead({ traceId, conversation, onStatus }) {
  const [mode, setMode] = useState("");
  const { summary, running } = conversation;
  // One that is not in the list was deleted elsewhere.
  const isEmpty = summary ? !summary.questions : !conversation.id;
  useEffect(() => setMode(""), [conversation]);
  const attempt = async (action, done) => {
    setMode("");
    try {
      await action();
      onStatus(done);
    } catch (error) {
      onStatus(api.describeError(error), true);
    }
  };
  const begin = () =>
    attempt(async () => change({ conversation: (await api.createConversation(traceId)).id }), "A new conversation.");
  const remove = () =>
    attempt(async () => {
      await api.deleteConversation(traceId, conversation.id);
      if (new URLSearchParams(location.search).has("conversation")) change({ conversation: undefined });
      else await restart(conversation);
    }, "The conversation is deleted.");
  const rename = (title) =>
    attempt(async () => {
      await api.renameConversation(traceId, conversation.id, title);
      await conversation.loadList();
    }, "Renamed.");
  const save = (format) =>
    attempt(async () => {
      const { id, leaf } = conversation;
      const { blob, name } = await api.exportConversation(traceId, { conversation: id, leaf, format });
      saveFile(blob, name);
    }, "Exported.");
  const toggle = (name) => setMode(mode === name ? "" : name);
  return html`
    <header class="chat-head" onKeyDown=${(event) => mode && event.key === "Escape" && (event.stopPropagation(), setMode(""))}>
      <div class="chat-tools">
        <${IconButton} icon="talks" label=${`Conversations (${conversation.list.length})`} aria-expanded=${String(mode === "list")} onClick=${() => toggle("list")} />
        <h2 class="talk-title">${summary?.title ?? "New conversation"}</h2>
        <${IconButton} icon="plus" label="New conversation" disabled=${isEmpty} onClick=${begin} />
        ${summary &&
        html`
          <${IconButton} icon="pencil" label="Rename this conversation" aria-expanded=${String(mode === "rename")} onClick=${() => toggle("rename")} />
          <${IconButton} icon="export" label="Export this conversation" aria-expanded=${String(mode === "export")} onClick=${() => toggle("export")} />
          <${IconButton} icon="bin" label="Delete this conversation" aria-expanded=${String(mode === "delete")} disabled=${running} onClick=${() => toggle("delete")} />
        `}
      </div>
      ${mode === "list" && html`<${List} conversation=${conversation} close=${() => setMode("")} />`}
      ${mode === "rename" && html`<${Rename} title=${summary.title} onDone=${rename} />`}
      ${mode === "export" &&
      html`<div class="chat-menu">
        <span>Export as</span>
        <button type="button" class="chip" onClick=${() => save("markdown")}>Markdown</button>
        <button type="button" class="chip" onClick=${() => save("json")}>JSON</button>
      </div>`}
      ${mode === "delete" &&
      html`<div class="chat-menu">
        <span>Delete this conversation for good?</span>
        <button type="button" class="chip danger" onClick=${remove}>Delete</button>
        <button type="button" class="chip" onClick=${() => setMode("")}>Keep</button>
      </div>`}
    </header>
  `;
}

/** Shows the newest of the conversations that are left. */
function restart(conversation) {
  conversation.id = undefined;
  return conversation.load();
}

/** All conversations about the trace; arrow keys go from one to the next. */
function List({ conversation, close }) {
  const place = useRef(null);
  useEffect(() => place.current?.querySelector('[tabindex="0"]')?.focus(), []);
  const { list } = conversation;
  if (!list.length) return html`<p class="notice">No conversations yet.</p>`;
  const current = Math.max(0, list.findIndex(({ id }) => id === conversation.id));
  const show = (id) => {
    close();
    change({ conversation: id });
  };
  return html`
    <ul class="talks" ref=${place} onKeyDown=${(event) => moveFocus(event, place.current, "button")} aria-label="Conversations">
      ${list.map(
        ({ id, title, last_updated_at: time, questions, running }, index) => html`
          <li key=${id}>
            <button type="button" tabindex=${index === current ? 0 : -1} aria-current=${index === current ? "true" : null} onClick=${() => show(id)}>
              <span class="talk-title">${title}</span>
              <small>${formatCount(questions, "question")}, ${formatAgo(time)}${running ? ", answering" : ""}</small>
            </button>
          </li>
        `,
      )}
    </ul>
  `;
}

function Rename({ title, onDone }) {
  const [text, setText] = useState(title);
  const field = useRef(null);
  useEffect(() => field.current.select(), []);
  const submit = (event) => {
    event.preventDefault();
    if (text.trim()) onDone(text.trim());
  };
  return html`
    <form class="chat-menu" onSubmit=${submit}>
      <label>
        <${Unseen}>Title<//>
        <input ref=${field} value=${text} maxlength=${LONGEST_TITLE} onInput=${(event) => setText(event.target.value)} />
      </label>
      <button type="submit" class="chip main" disabled=${!text.trim()}>Rename</button>
    </form>
  `;
}
