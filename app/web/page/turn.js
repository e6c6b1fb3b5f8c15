// One turn: the question, which can be edited, and the answer as it comes.

import * as api from "./api.js";
import { linkTo, readAddress } from "./address.js";
import { CopyButton } from "./copy.js";
import { Icon, IconButton, Unseen } from "./controls.js";
import { formatCost, formatCount, formatNumber } from "./format.js";
import { html, useRef, useState } from "./library.js";
import { Markdown } from "./markdown.js";
import { Excess, describeExcess } from "./question_length.js";

export function Turn({ turn, last, conversation, names, ask, onStatus }) {
  const [editing, setEditing] = useState(false);
  const answer = () =>
    turn.parts.filter((part) => part.kind === "text").map((part) => part.text).join("\n\n");
  const again = (message) => {
    setEditing(false);
    ask(message, { instead: turn });
  };
  const waits = turn.running && !turn.parts.some(isMoving);
  return html`
    <article class="turn">
      ${editing
        ? html`<${Editor} id=${turn.id} text=${turn.question} onDone=${again} onCancel=${() => setEditing(false)} />`
        : html`
            <div class="question" dir="auto">${turn.question}</div>
            <${QuestionTools} turn=${turn} conversation=${conversation} edit=${() => setEditing(true)} />
          `}
      ${turn.parts.map((part, index) => html`<${Part} key=${index} part=${part} names=${names} />`)}
      ${waits && html`<div class="waiting" aria-hidden="true">Thinking</div>`}
      ${turn.stopped && html`<div class="stopped">Stopped</div>`}
      ${!turn.running &&
      html`
        <footer class="answer-tools">
          ${turn.parts.length > 0 && html`<${CopyButton} label="Copy answer" text=${answer} />`}
          <${IconButton} icon="refresh" label="Answer again" disabled=${conversation.running} onClick=${() => again(turn.question)} />
          ${last && html`<${Thumbs} conversation=${conversation} onStatus=${onStatus} />`}
          <${Spent} turn=${turn} />
        </footer>
      `}
    </article>
  `;
}

/** Whether a part shows by itself that something is going on. */
const isMoving = (part) => part.open || part.state === "running";

function QuestionTools({ turn, conversation, edit }) {
  const { siblings = [], leaves = [] } = turn;
  const at = siblings.indexOf(turn.id);
  const show = (index) => conversation.load(leaves[index] ?? siblings[index]);
  const busy = conversation.running;
  return html`
    <div class="question-tools">
      ${siblings.length > 1 &&
      html`
        <${IconButton} icon="back" label="Previous version" disabled=${busy || at <= 0} onClick=${() => show(at - 1)} />
        <span>${formatNumber(at + 1)} / ${formatNumber(siblings.length)}<${Unseen}> versions of this question<//></span>
        <${IconButton} icon="next" label="Next version" disabled=${busy || at >= siblings.length - 1} onClick=${() => show(at + 1)} />
      `}
      <${IconButton} icon="pencil" label="Edit this question" disabled=${busy} onClick=${edit} />
    </div>
  `;
}

function Editor({ id, text, onDone, onCancel }) {
  const [draft, setDraft] = useState(text);
  const excess = describeExcess(draft);
  const ready = draft.trim() && !excess;
  const focused = useRef(false);
  const focus = (element) => {
    if (!element || focused.current) return;
    focused.current = true;
    element.focus();
  };
  const onKeyDown = (event) => {
    if (event.key === "Escape") onCancel();
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (ready) onDone(draft);
  };
  return html`
    <div class="editor">
      <textarea
        ref=${focus}
        dir="auto"
        rows="3"
        aria-label="Edit your question"
        aria-describedby=${`excess-${id}`}
        aria-invalid=${excess ? "true" : null}
        value=${draft}
        onInput=${(event) => setDraft(event.target.value)}
        onKeyDown=${onKeyDown}
      ></textarea>
      <${Excess} id=${`excess-${id}`}>${excess}<//>
      <div>
        <button type="button" class="chip" onClick=${onCancel}>Cancel</button>
        <button type="button" class="chip main" disabled=${!ready} onClick=${() => onDone(draft)}>Ask again</button>
      </div>
    </div>
  `;
}

function Part({ part, names }) {
  if (part.kind === "tool") return html`<${ToolRow} part=${part} names=${names} />`;
  if (part.kind === "error") {
    const role = part.past ? null : "alert";
    return html`<div role=${role}><${Markdown} class="bubble failed" text=${part.text} /></div>`;
  }
  return html`<${Markdown} class="bubble" text=${part.text} open=${part.open} />`;
}

const STATES = { running: "running", done: "done", stopped: "stopped" };

function ToolRow({ part, names }) {
  return html`
    <div class="call">
      <span class=${`mark ${part.state}`} role="img" aria-label=${STATES[part.state]}>
        ${part.state === "done" ? html`<${Icon} name="tick" />` : part.state === "stopped" ? "–" : ""}
      </span>
      <span>${linkSpans(part, names)}</span>
    </div>
  `;
}

/** A label in which the names of its spans are links to them; cleaned names differ: then all is. */
function linkSpans({ label, spans }, names) {
  const { trace } = readAddress();
  const link = (span, text) => html`<a class="span-link" href=${linkTo({ trace, span })}>${text}</a>`;
  const pieces = [];
  let rest = label;
  for (const span of spans) {
    const name = names.get(span);
    const at = name ? rest.indexOf(name) : -1;
    if (at < 0) continue;
    pieces.push(rest.slice(0, at), link(span, name));
    rest = rest.slice(at + name.length);
  }
  return spans.length && !pieces.length ? link(spans[0], label) : [...pieces, rest];
}

/** The rating of the whole conversation. */
function Thumbs({ conversation, onStatus }) {
  const rate = (value) =>
    conversation.rate(value).then(
      () => onStatus(conversation.rating === null ? "Rating removed." : "Rating stored."),
      (error) => onStatus(api.describeError(error), true),
    );
  const thumb = (icon, label, value) => html`
    <${IconButton} icon=${icon} label=${label} aria-pressed=${String(conversation.rating === value)} onClick=${() => rate(value)} />
  `;
  return html`${thumb("up", "Good answers", 1)}${thumb("down", "Bad answers", 0)}`;
}

/** The model, and what the answer took; ~ where a part was not reported by the provider. */
function Spent({ turn }) {
  const { model, usage } = turn;
  const parts = [
    model,
    usage?.total_tokens && (usage.estimated ? "~" : "") + formatCount(usage.total_tokens, "token"),
    formatCost(usage?.cost),
  ].filter(Boolean);
  return parts.length ? html`<span class="spent">${parts.join(" · ")}</span>` : null;
}
