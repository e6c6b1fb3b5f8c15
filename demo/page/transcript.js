// What a conversation looks like: questions, bubbles of Markdown, tool rows, errors.

import { icon, make } from "./dom.js";
import { render } from "./markdown.js";

const SPAN = /\{span:([0-9a-f-]{36})\}/gi;

/** The list of all messages; `spanName` gives a span's name for its id. */
export class Transcript {
  constructor({ spanName }) {
    this.element = make("div", { class: "transcript", role: "log", "aria-label": "Conversation" });
    this._spanName = spanName;
    this.lastQuestion = null;
  }

  get empty() {
    return !this.element.hasChildNodes();
  }

  clear() {
    this.element.replaceChildren();
    this.lastQuestion = null;
  }

  question(text) {
    this.lastQuestion = make("div", { class: "question" }, text);
    this.element.append(this.lastQuestion);
  }

  bubble() {
    return this._added(new Bubble());
  }

  /** A tool row; `call` as the panel's frames and its history have it. */
  row(call) {
    return this._added(new Row(call.id, this._named(call.display_name || call.name)));
  }

  error(text) {
    const bubble = this.bubble();
    bubble.fail(text);
    return bubble;
  }

  /** The history's messages, oldest first. */
  fill(messages) {
    for (const message of messages) {
      if (message.role === "user") this.question(message.content);
      else if (message.content) this.bubble().close(message.content);
      for (const call of message.toolCalls ?? []) {
        const row = this.row(call);
        if (call.completed) row.complete();
        else row.give();
      }
    }
  }

  _added(part) {
    this.element.append(part.element);
    return part;
  }

  /** A display name with each `{span:<id>}` as the link to that span. */
  _named(text) {
    return text.split(SPAN).map((piece, index) => {
      if (index % 2 === 0) return piece;
      const name = this._spanName(piece.toLowerCase());
      return make("a", { class: "span-link", href: `?span=${piece}` }, name ?? "a span");
    });
  }
}

/** A bubble of Markdown, drawn at most once a frame of the screen however fast text comes. */
class Bubble {
  constructor() {
    this.element = make("div", { class: "bubble", "aria-busy": "true" });
    this.text = "";
    this.open = true;
    this._drawing = 0;
  }

  add(text) {
    this.text += text;
    this._drawing ||= requestAnimationFrame(() => this._draw());
  }

  /** The bubble's last and whole text. */
  close(text) {
    this.text = text;
    this.settle();
  }

  fail(text) {
    this.element.classList.add("failed");
    this.element.setAttribute("role", "alert");
    this.close(text);
  }

  settle() {
    cancelAnimationFrame(this._drawing);
    this._draw();
    this.open = false;
    this.element.removeAttribute("aria-busy");
  }

  _draw() {
    this._drawing = 0;
    render(this.element, this.text);
  }
}

/** One tool call: a spinner until it is complete. */
class Row {
  constructor(id, label) {
    this.id = id;
    this._mark = make("span", { class: "mark spinning", role: "img", "aria-label": "running" });
    this.element = make("div", { class: "row" }, this._mark, make("span", {}, label));
  }

  complete() {
    this._become("done", "done", icon("tick"));
  }

  /** The end of the call was never reported. */
  give() {
    if (this._mark.classList.contains("spinning")) this._become("cut", "stopped", "–");
  }

  _become(kind, label, content) {
    this._mark.className = `mark ${kind}`;
    this._mark.setAttribute("aria-label", label);
    this._mark.replaceChildren(content);
  }
}

/** One answer as it comes: the frames of the stream, shown in a transcript. */
export class Answer {
  constructor(transcript) {
    this._transcript = transcript;
    this._last = null;
    this._bubbles = [];
    this._rows = [];
    this.suggestions = [];
  }

  get empty() {
    return this._last === null;
  }

  take(frame) {
    if (frame?.error) {
      this._bubble().fail(frame.error);
    } else if (frame?.message_type === "response") {
      this._response(frame);
    } else if (frame?.message_type === "tool_call") {
      this._last = this._transcript.row(frame.tool_call);
      this._rows.push(this._last);
    } else if (frame?.message_type === "tool_complete") {
      for (const row of this._rows) if (row.id === frame.tool_response.id) row.complete();
    } else if (frame?.message_type === "suggestions" && Array.isArray(frame.suggestions)) {
      this.suggestions = frame.suggestions.filter((each) => typeof each === "string");
    }
  }

  /** No more frames come: what is still open stays as it is. */
  end() {
    for (const bubble of this._bubbles) if (bubble.open) bubble.settle();
    for (const row of this._rows) row.give();
  }

  _response(frame) {
    const text = frame.content.parts[0].text;
    if (!text) return;
    const bubble = this._bubble();
    if (frame.partial) bubble.add(text);
    else bubble.close(text);
  }

  _bubble() {
    if (!this._last?.open) {
      this._last = this._transcript.bubble();
      this._bubbles.push(this._last);
    }
    return this._last;
  }
}
