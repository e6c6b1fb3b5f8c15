// Which view the address asks for: `?trace=` one trace, `&span=` one of its spans, else the list.

import * as api from "./api.js";
import { Chat } from "./chat.js";
import { icon, make } from "./dom.js";
import { Spans } from "./spans.js";
import { marksOf, tracesView } from "./traces.js";
import * as words from "./words.js";

const view = document.querySelector("#view");
let shown = null;

function place() {
  const query = new URLSearchParams(location.search);
  return { trace: query.get("trace"), span: query.get("span"), project: query.get("project") };
}

/** Shows what the address says; a span of the trace in view needs no new view. */
async function show() {
  const { trace, span, project } = place();
  if (trace && shown?.traceId === trace) {
    shown.select(span);
    return;
  }
  shown?.leave();
  shown = { traceId: trace, leave() {}, stop() {}, select() {} };
  const mine = shown;
  let content;
  try {
    content = trace ? await traceView(trace, mine) : await tracesView({ project, refresh: show });
  } catch (error) {
    content = make("p", { class: "notice bad" }, error.message);
  }
  if (mine !== shown) return;
  if (!trace) document.title = "OpikAssist";
  view.className = trace ? "one" : "many";
  view.replaceChildren(content);
  mine.select(span);
}

async function traceView(id, mine) {
  const trace = await api.trace(id);
  const { found, total } = await api.spans(trace);
  document.title = `${trace.name || "Trace"} – OpikAssist`;
  const names = new Map(found.map((span) => [span.id, span.name]));
  const chat = new Chat({ trace, spans: found, spanName: (spanId) => names.get(spanId) });
  const spans = new Spans({ spans: found, total, onpick: (spanId) => go(spanUrl(id, spanId)) });
  const panes = new Panes(spans.element, chat.element);
  const failed = found.filter((span) => span.error_info).length;
  mine.leave = mine.stop = () => chat.stop();
  mine.select = (spanId) => {
    if (spanId) panes.show("spans");
    spans.select(spanId);
  };
  void chat.load();
  return make(
    "div",
    { class: "trace" },
    headOf({ ...trace, failed_spans: failed }, total, panes),
    panes.element,
  );
}

/** Spans and chat: side by side where there is room, else one of them at a time, by `choice`. */
class Panes {
  constructor(spans, chat) {
    this.element = make("div", { class: "panes" }, spans, chat);
    this._buttons = [this._button("chat", "Chat"), this._button("spans", "Spans")];
    this.choice = make("div", { class: "switch" }, ...this._buttons);
    this.show("chat");
  }

  show(name) {
    this.element.dataset.pane = name;
    for (const button of this._buttons) {
      button.setAttribute("aria-pressed", String(button.name === name));
    }
  }

  _button(name, label) {
    return make("button", { type: "button", name, onclick: () => this.show(name) }, label);
  }
}

const spanUrl = (trace, span) => `/?${new URLSearchParams({ trace, span })}`;

function headOf(trace, total, panes) {
  const facts = [
    words.ago(trace.start_time),
    words.duration(trace.duration),
    words.count(total, "span"),
    trace.usage?.total_tokens ? words.count(trace.usage.total_tokens, "token") : "",
    words.cost(trace.total_estimated_cost),
  ].filter(Boolean);
  return make(
    "header",
    { class: "trace-head" },
    make("a", { class: "quiet", href: "/", "aria-label": "All traces" }, icon("back")),
    make(
      "div",
      { class: "title" },
      make("h1", {}, trace.name || "(no name)"),
      make(
        "div",
        { class: "about" },
        make("span", {}, facts.join(" · ")),
        ...marksOf(trace),
      ),
    ),
    panes.choice,
  );
}

function go(url) {
  history.pushState(null, "", url);
  void show();
}

/** Links of this page change the view; all others are the browser's business. */
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (!link || event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const url = new URL(link.href);
  const asked = url.searchParams;
  if (url.origin !== location.origin) return;
  if (asked.has("span")) {
    event.preventDefault();
    go(spanUrl(asked.get("trace") ?? place().trace, asked.get("span")));
  } else if (url.pathname === "/") {
    event.preventDefault();
    go(url.pathname + url.search);
  }
});

addEventListener("keydown", (event) => {
  if (event.key === "Escape") shown?.stop();
});
addEventListener("popstate", () => void show());
addEventListener("focus", () => {
  if (!place().trace) void show();
});
void show();
