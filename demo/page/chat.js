// The talk about one trace: starter questions, the question's field, Stop, thumbs, Clear.

import * as api from "./api.js";
import { iconButton, make } from "./dom.js";
import { startersFor } from "./starters.js";
import { readFrames } from "./stream.js";
import { Answer, Transcript } from "./transcript.js";

const NEAR = 80;
const SEEN_OF_QUESTION = 120;

export class Chat {
  constructor({ trace, spans, spanName }) {
    this._trace = trace;
    this._spans = spans;
    this._stop = null;
    this._thumb = null;
    this._transcript = new Transcript({ spanName });
    this._chips = make("div", { class: "chips" });
    this._welcome = make("div", { class: "welcome" });
    this._thumbs = this._madeThumbs();
    this._state = make("p", { class: "unseen", role: "status" });
    this._scroll = make(
      "div",
      { class: "scroll" },
      ...[this._welcome, this._transcript.element, this._thumbs, this._chips],
    );
    this._composer = this._madeComposer();
    this.element = make(
      "section",
      { class: "chat", "aria-label": "Chat" },
      ...[this._scroll, this._composer, this._state],
    );
  }

  /** Fills the chat with earlier messages. */
  async load() {
    try {
      this._transcript.fill(await api.history(this._trace.id));
    } catch (error) {
      this._transcript.error(error.message);
    }
    await this._rest();
    this._scroll.scrollTop = this._target();
    this.element.dataset.filled = "";
  }

  stop() {
    this._stop?.abort();
  }

  async ask(question) {
    if (this._stop || !question.trim()) return;
    const stop = new AbortController();
    this._stop = stop;
    this._begin(question);
    const answer = new Answer(this._transcript);
    try {
      const body = await api.ask(this._trace.id, question, stop.signal);
      await readFrames(body, (frame) => this._following(() => answer.take(frame)));
      if (answer.empty) this._transcript.error("No answer came. Please ask again.");
    } catch (error) {
      if (!stop.signal.aborted) this._transcript.error(wordsFor(error));
    }
    answer.end();
    this._stop = null;
    this._following(() => this._finish(answer.suggestions, stop.signal.aborted));
  }

  _begin(question) {
    this._welcome.replaceChildren();
    this._chips.replaceChildren();
    this._thumbs.hidden = true;
    this._setThumb(null);
    this._transcript.question(question);
    this._state.textContent = "Answering…";
    this._composer.classList.add("busy");
    this._waiting = make("div", { class: "waiting", "aria-hidden": "true" }, "Thinking");
    this._transcript.element.after(this._waiting);
    this._scroll.scrollTop = this._target();
    // A chip that was chosen by keyboard is gone; on a phone the field would open the keyboard.
    if (matchMedia("(pointer: fine)").matches) this._field.focus();
  }

  _finish(suggestions, stopped) {
    this._waiting.remove();
    this._composer.classList.remove("busy");
    this._state.textContent = stopped ? "Stopped." : "The answer is complete.";
    if (stopped) {
      this._transcript.element.append(make("div", { class: "stopped" }, "Stopped"));
    }
    this._thumbs.hidden = false;
    this._offer(suggestions);
  }

  /** The chat when nothing runs: a welcome with starter questions, or the thumbs. */
  async _rest() {
    const fresh = this._transcript.empty;
    this._thumbs.hidden = fresh;
    if (!fresh) return;
    this._welcome.replaceChildren(
      make("h2", {}, "What do you want to know?"),
      make("p", {}, "The assistant reads this trace and its spans, and cites what it finds."),
    );
    const suggested = await api.suggestions(this._trace.id).catch(() => null);
    if (this._transcript.empty) this._offer(suggested ?? startersFor(this._trace, this._spans));
  }

  _offer(questions) {
    const chips = questions.map((question) =>
      make("button", { type: "button", class: "chip", onclick: () => this.ask(question) }, question),
    );
    this._chips.replaceChildren(...chips);
  }

  /** Changes what is shown and follows it, unless the reader has gone elsewhere. */
  _following(change) {
    const follows = Math.abs(this._scroll.scrollTop - this._target()) < NEAR;
    change();
    if (follows) {
      requestAnimationFrame(() => {
        this._scroll.scrollTop = this._target();
      });
    }
  }

  /** Where to scroll: to the end, but not past the last question, where its answer is read from. */
  _target() {
    const end = this._scroll.scrollHeight - this._scroll.clientHeight;
    const question = this._transcript.lastQuestion;
    if (!question) return end;
    const hidden = Math.max(0, question.offsetHeight - SEEN_OF_QUESTION);
    return Math.min(end, question.offsetTop - 16 + hidden);
  }

  _madeComposer() {
    const field = make("textarea", {
      rows: "1",
      placeholder: "Ask about this trace…",
      "aria-label": "Your question",
      maxlength: "8000",
    });
    const send = () => {
      if (this._stop || !field.value.trim()) return;
      this.ask(field.value);
      field.value = "";
    };
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      send();
    });
    this._field = field;
    return make(
      "div",
      { class: "composer" },
      field,
      iconButton("send", "Send (Enter)", send, { class: "quiet send" }),
      iconButton("stop", "Stop (Esc)", () => this.stop(), { class: "quiet stop" }),
    );
  }

  _madeThumbs() {
    const thumb = (name, label, value) =>
      iconButton(name, label, () => this._rate(value), { "aria-pressed": "false" });
    this._up = thumb("up", "Good answers", 1);
    this._down = thumb("down", "Bad answers", 0);
    return make("div", { class: "thumbs", hidden: true }, this._up, this._down, this._madeClear());
  }

  /** Clearing cannot be undone, so it takes a second click. */
  _madeClear() {
    const sure = make("span", { hidden: true }, "Clear for good?");
    const clear = iconButton("bin", "Clear this conversation", () => {
      if (!sure.hidden) void this._clear();
      sure.hidden = !sure.hidden;
    });
    clear.classList.add("clear");
    clear.append(sure);
    clear.addEventListener("blur", () => {
      sure.hidden = true;
    });
    return clear;
  }

  async _rate(value) {
    const wanted = this._thumb === value ? null : value;
    try {
      await api.rate(this._trace.id, wanted);
      this._setThumb(wanted);
      this._state.textContent = wanted === null ? "Rating removed." : "Rating stored.";
    } catch (error) {
      this._transcript.error(wordsFor(error));
    }
  }

  _setThumb(value) {
    this._thumb = value;
    this._up.setAttribute("aria-pressed", String(value === 1));
    this._down.setAttribute("aria-pressed", String(value === 0));
  }

  async _clear() {
    try {
      await api.forget(this._trace.id);
    } catch (error) {
      this._transcript.error(wordsFor(error));
      return;
    }
    this._transcript.clear();
    this._chips.replaceChildren();
    this._setThumb(null);
    this._state.textContent = "The conversation is cleared.";
    this._field.focus();
    await this._rest();
  }
}

function wordsFor(error) {
  if (error instanceof api.Refusal) return error.message;
  return "The connection was lost. What was written so far is kept; ask again to go on.";
}
