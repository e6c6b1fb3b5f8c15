// One conversation as it is shown: its turns, from the history and from the stream of an answer.

import * as api from "./api.js";
import { readFrames } from "./stream.js";

/**
 * A turn: the question with its siblings (other versions of it), the parts of the answer in order,
 * the model, what it took, and whether it runs, was stopped or failed.
 */
const newTurn = (question, more = {}) => ({ question, parts: [], usage: null, model: null, ...more });

export class Conversation {
  constructor(traceId, id, changed) {
    this.traceId = traceId;
    this.id = id;
    this.list = [];
    this.turns = [];
    this.suggestions = [];
    this.earlier = null;
    this.rating = null;
    this.error = null;
    this.loaded = false;
    this._changed = changed;
    this._stop = null;
    this._drawing = 0;
    this._round = 0;
  }

  get running() {
    return this._stop !== null;
  }

  /** Whether another reader, such as another tab, has its last question answered. */
  get isAnsweredElsewhere() {
    return !this.running && Boolean(this.turns.at(-1)?.running);
  }

  /** What the list shows of this conversation; undefined for one that has not begun. */
  get summary() {
    return this.list.find(({ id }) => id === this.id);
  }

  /** Reads the list and the history: of the active branch, or of the one that ends with a turn. */
  async load(leaf) {
    this._round += 1;
    const round = this._round;
    try {
      await this.loadList();
      const read = this.id ? await this._readHistory({ leaf }) : { content: [] };
      // A question that was asked meanwhile is newer than what was read, and so is another choice.
      if (this.running || round !== this._round) return;
      this.turns = readTurns(read.content);
      if (leaf === undefined && this.turns.length) this.turns.at(-1).running = this.summary?.running;
      this.suggestions = read.suggestions ?? [];
      this.earlier = read.earlier ?? null;
      this.rating = read.rating ?? null;
      this.error = null;
    } catch (error) {
      if (round === this._round) this.error = error;
    } finally {
      this.loaded = true;
      this._changed();
    }
  }

  /** Reads the list; where no conversation was chosen, the newest one is. */
  async loadList() {
    this.list = await api.listConversations(this.traceId);
    this.id ??= this.list[0]?.id;
    this._changed();
  }

  /** Reads the turns before those that are shown. */
  async loadEarlier() {
    const { _round: round, earlier: before } = this;
    if (before === null) return;
    this.earlier = null;
    try {
      const read = await this._readHistory({ leaf: this.leaf, before });
      if (round !== this._round) return;
      this.turns = [...readTurns(read.content), ...this.turns];
      this.earlier = read.earlier ?? null;
      this.error = null;
    } catch (error) {
      if (round !== this._round) return;
      this.earlier = before;
      this.error = error;
    }
    this._changed();
  }

  _readHistory(query) {
    return api.readHistory(this.traceId, { conversation: this.id, ...query });
  }

  stop() {
    this._stop?.abort();
  }

  /** The id of the last turn that is stored. */
  get leaf() {
    return this.turns.findLast(({ id }) => id)?.id;
  }

  /**
   * Asks, and gives the turn at its end; none where nothing was asked. `instead` is the turn in
   * whose place the question is asked.
   */
  async ask(message, { model, instead } = {}) {
    if (this.running || !message.trim()) return;
    const stop = new AbortController();
    this._stop = stop;
    this.loaded = true;
    this.suggestions = [];
    this.error = null;
    if (instead) this.turns = this.turns.slice(0, this.turns.indexOf(instead));
    // A turn without an id was refused; where it was to replace another, the next one still is.
    const replaces = instead?.id ?? instead?.replaces;
    const leaf = replaces ? undefined : this.leaf;
    const turn = newTurn(message, { running: true, replaces });
    this.turns = [...this.turns, turn];
    this._changed();
    try {
      const body = { message, model, replaces };
      const query = { conversation: this.id, leaf };
      const { stream, requestId } = await api.ask(this.traceId, body, query, stop.signal);
      turn.requestId = requestId;
      await readFrames(stream, (frame) => this._take(turn, frame));
      if (!turn.parts.length) fail(turn, "No answer came. Ask again.");
    } catch (error) {
      if (stop.signal.aborted) turn.stopped = true;
      else fail(turn, turn.requestId ? `${LOST} (request ${turn.requestId})` : api.describeError(error));
    }
    this._end(turn);
    await this._learnPlace().catch(() => {});
    return turn;
  }

  /** Takes over titles, and the versions of each question, which an answer may have changed. */
  async _learnPlace() {
    await this.loadList();
    if (this.running || !this.id) return;
    const read = readTurns((await this._readHistory({})).content);
    if (this.running) return;
    const known = new Map(read.map((turn) => [turn.id, turn]));
    this._identifyLast(read);
    for (const turn of this.turns) {
      const { siblings = [], leaves = [] } = known.get(turn.id) ?? turn;
      Object.assign(turn, { siblings, leaves });
      // It was answered elsewhere when it was read.
      if (turn.running) Object.assign(turn, known.get(turn.id), { running: false });
    }
    this._changed();
  }

  /** Gives a turn whose stream had no id that of the same question in its place, if it is stored. */
  _identifyLast(read) {
    const last = this.turns.at(-1);
    const newest = read.at(-1);
    if (last.id || newest?.question !== last.question || read.at(-2)?.id !== this.leaf) return;
    last.id = newest.id;
  }

  _end(turn) {
    turn.running = false;
    for (const part of turn.parts) {
      part.open = false;
      if (part.kind === "tool" && part.state === "running") part.state = "stopped";
    }
    this._stop = null;
    cancelAnimationFrame(this._drawing);
    this._drawing = 0;
    this._changed();
  }

  _take(turn, frame) {
    takeFrame(turn, frame, this);
    this._drawing ||= requestAnimationFrame(() => {
      this._drawing = 0;
      this._changed();
    });
  }

  async rate(value) {
    const wanted = this.rating === value ? null : value;
    await api.rate(this.traceId, wanted, { conversation: this.id });
    this.rating = wanted;
    this._changed();
  }
}

const PLACEHOLDER = "…";
const LOST = "The connection was lost. What was written so far is kept; ask again to go on.";

function fail(turn, message) {
  turn.parts.push({ kind: "error", text: message });
}

/** The turns of a history's messages. */
export function readTurns(messages) {
  const turns = [];
  for (const message of messages) {
    if (message.role === "user") turns.push(newTurn(message.content, readHead(message)));
    const turn = turns.at(-1);
    if (!turn || message.role === "user") continue;
    if (message.content && !message.toolCalls) turn.parts.push(readText(message));
    for (const call of message.toolCalls ?? []) {
      turn.parts.push(newCall(call, call.completed ? "done" : "stopped"));
    }
    turn.usage = message.usage ?? turn.usage;
    turn.model = message.model ?? turn.model;
  }
  return turns;
}

/** A text of the history; `past` is an error that was shown when it came. */
function readText({ content: text, failed }) {
  return failed ? { kind: "error", text, past: true } : { kind: "text", text };
}

/** A tool row; `spans` are those that its label names. */
function newCall({ id, name, display_name: label, span_ids: spans = [] }, state) {
  return { kind: "tool", id, label: label || name, spans, state };
}

function readHead({ turnId, siblings, leaves, created_at: time }) {
  return { id: turnId, siblings: siblings ?? [], leaves: leaves ?? [], time };
}

/** Adds a frame of the stream to its turn. */
export function takeFrame(turn, frame, conversation) {
  if (!frame) return;
  if (frame.invocationId) turn.id = frame.invocationId;
  if (frame.error) {
    // The service sends this text to readers that would write the error over the last one.
    if (turn.parts.at(-1)?.text === PLACEHOLDER) turn.parts.pop();
    fail(turn, frame.error);
  }
  HANDLERS[frame.message_type]?.(turn, frame, conversation);
}

const HANDLERS = {
  response: takeText,
  tool_call(turn, { tool_call: call }) {
    turn.parts.push(newCall(call, "running"));
  },
  tool_complete(turn, { tool_response: { id } }) {
    for (const part of turn.parts) if (part.kind === "tool" && part.id === id) part.state = "done";
  },
  model(turn, { model }) {
    turn.model = model;
  },
  usage(turn, { turn: spent }) {
    turn.usage = spent;
  },
  suggestions(_, { suggestions }, conversation) {
    conversation.suggestions = suggestions.filter((each) => typeof each === "string");
  },
};

function takeText(turn, { content, partial }) {
  const text = content.parts[0].text;
  if (!text) return;
  let last = turn.parts.at(-1);
  if (last?.kind !== "text" || !last.open) {
    last = { kind: "text", text: "", open: true };
    turn.parts.push(last);
  }
  last.text = partial ? last.text + text : text;
  last.open = partial;
}
