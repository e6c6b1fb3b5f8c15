// The spans of a trace as a list in the order of their tree. Each line is a grid of columns, of
// which the bars of a waterfall can become one.

import * as api from "./api.js";
import { icon, make } from "./dom.js";
import * as words from "./words.js";

const MOST_CHARACTERS = 4000;
const DEEPEST = 12;

/** The spans parents first, siblings by their start, each with its depth. */
export function inTreeOrder(spans) {
  const known = new Set(spans.map((span) => span.id));
  const children = Map.groupBy(spans, (span) =>
    known.has(span.parent_span_id) ? span.parent_span_id : null,
  );
  const latestFirst = (one, other) => (one.start_time < other.start_time ? 1 : -1);
  const ordered = [];
  const waiting = (children.get(null) ?? []).sort(latestFirst).map((span) => ({ span, depth: 0 }));
  while (waiting.length) {
    const { span, depth } = waiting.pop();
    ordered.push({ span, depth });
    const below = (children.get(span.id) ?? []).sort(latestFirst);
    waiting.push(...below.map((each) => ({ span: each, depth: depth + 1 })));
  }
  return ordered;
}

export class Spans {
  /** `total` may be more than there are in the list; `onpick` is called with the id of a picked span. */
  constructor({ spans, total, onpick }) {
    this._lines = new Map();
    this._onpick = onpick;
    const list = make("ol", { class: "spans" });
    for (const { span, depth } of inTreeOrder(spans)) list.append(this._line(span, depth));
    const left = total - spans.length;
    this.element = make(
      "section",
      { class: "tree", "aria-label": "Spans" },
      list,
      left > 0 ? make("p", { class: "notice" }, `${words.count(left, "more span")} not listed`) : null,
      spans.length ? null : make("p", { class: "notice" }, "This trace has no spans yet."),
    );
  }

  /** Shows one span, opened and marked; null marks none. */
  select(id) {
    for (const line of this._lines.values()) line.item.classList.remove("picked");
    const line = this._lines.get(id);
    if (!line) return;
    line.item.classList.add("picked");
    this._open(line, true);
    line.item.scrollIntoView({ block: "nearest" });
  }

  _line(span, depth) {
    const failed = Boolean(span.error_info);
    const head = make(
      "button",
      { type: "button", class: "line", "aria-expanded": "false" },
      icon("chevron"),
      make("span", { class: `kind ${kindOf(span)}`, title: kindOf(span) }, unseen(kindOf(span))),
      make("span", { class: "name" }, span.name || "(no name)"),
      failed ? make("span", { class: "badge bad" }, "error") : null,
      make("span", { class: "took" }, words.duration(span.duration)),
    );
    const more = make("div", { class: "more", hidden: true });
    const item = make("li", { "data-span": span.id }, head, more);
    item.style.setProperty("--depth", Math.min(depth, DEEPEST));
    const line = { span, item, head, more };
    head.addEventListener("click", () => {
      const open = head.getAttribute("aria-expanded") !== "true";
      this._open(line, open);
      if (open) this._onpick(span.id);
    });
    this._lines.set(span.id, line);
    return item;
  }

  _open(line, open) {
    line.head.setAttribute("aria-expanded", String(open));
    line.more.hidden = !open;
    if (open && !line.more.hasChildNodes()) this._fill(line);
  }

  async _fill({ span, more }) {
    more.append(make("p", { class: "facts" }, factsOf(span).join(" · ")));
    if (span.error_info) {
      const { exception_type: type, message } = span.error_info;
      const error = [type, message].filter(Boolean).join(": ");
      more.append(make("p", { class: "fault" }, error || "failed"));
    }
    try {
      const { input, output } = await api.span(span.id);
      more.append(...bodyOf("Input", input), ...bodyOf("Output", output));
    } catch (error) {
      more.append(make("p", { class: "notice" }, error.message));
    }
  }
}

const unseen = (text) => make("span", { class: "unseen" }, text);

function kindOf(span) {
  return ["llm", "tool", "guardrail"].includes(span.type) ? span.type : "general";
}

function factsOf(span) {
  const tokens = span.usage?.total_tokens;
  return [
    kindOf(span),
    span.model,
    tokens ? words.count(tokens, "token") : "",
    words.cost(span.total_estimated_cost),
    words.moment(span.start_time),
  ].filter(Boolean);
}

function bodyOf(label, value) {
  if (value === null || value === undefined) return [];
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  const cut = text.length > MOST_CHARACTERS;
  return [
    make("h3", {}, label),
    make("pre", {}, cut ? `${text.slice(0, MOST_CHARACTERS)}\n… cut` : text),
  ];
}
