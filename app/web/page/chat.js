// The conversation about one trace: questions, answers, and what can be done with them.

import * as api from "./api.js";
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { Notice } from "./controls.js";
import { html, useCallback, useEffect, useReducer, useRef, useState } from "./library.js";
import { useLoading } from "./loading.js";
import { useFollowing } from "./following.js";
import { Turn } from "./turn.js";
import { ChatHead } from "./chat_head.js";

/** How long until an answer that is streamed to another tab is looked for again. */
const READ_AGAIN_MS = 3000;

/** The conversation of an address, redrawn as it changes; leaving it stops its answer. */
function useConversation(traceId, id) {
  const [, redraw] = useReducer((count) => count + 1, 0);
  const [conversation, setConversation] = useState(() => new Conversation(traceId, id, () => {}));
  useEffect(() => {
    let shown = true;
    const next = new Conversation(traceId, id, () => shown && redraw());
    setConversation(next);
    void next.load();
    const timer = setInterval(() => next.isAnsweredElsewhere && next.load(), READ_AGAIN_MS);
    return () => {
      clearInterval(timer);
      shown = false;
      next.stop();
    };
  }, [traceId, id]);
  return conversation;
}

/** What a screen reader hears at a turn's end; an error's own words are an alert. */
function describeEnd(turn) {
  if (turn.stopped) return "The answer was stopped.";
  return turn.parts.at(-1).kind === "error" ? "The answer failed." : "The answer is complete.";
}

export function Chat({ traceId, names, ready, conversation: id }) {
  const conversation = useConversation(traceId, id);
  const [model, setModel] = useState("");
  const [status, setStatus] = useState("");
  const [fault, setFault] = useState("");
  const scroll = useRef(null);
  const field = useRef(null);
  const follow = useFollowing(scroll, conversation);
  const report = useCallback((sentence, failed = false) => {
    setStatus(failed ? "" : sentence);
    setFault(failed ? sentence : "");
  }, []);
  const ask = useCallback(
    async (message, options = {}) => {
      follow.start();
      report("Answering…");
      const turn = await conversation.ask(message, { model: model || undefined, ...options });
      if (turn) setStatus(describeEnd(turn));
    },
    [conversation, model],
  );
  useEffect(() => {
    const onKeyDown = (event) => event.key === "Escape" && conversation.stop();
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, [conversation]);
  useEffect(() => {
    // On a touch screen the focus would open the keyboard over the page.
    if (conversation.loaded && matchMedia("(pointer: fine)").matches) field.current?.focus();
  }, [conversation, conversation.loaded]);
  return html`
    <section class="chat" aria-label="Chat" data-filled=${conversation.loaded}>
      <${ChatHead} traceId=${traceId} conversation=${conversation} onStatus=${report} />
      ${fault && html`<${Notice} bad>${fault}<//>`}
      <div class="scroll" ref=${scroll} tabindex="-1">
        <${Messages} traceId=${traceId} ready=${ready} conversation=${conversation} names=${names} ask=${ask} onStatus=${report} />
      </div>
      ${follow.away && html`<button type="button" class="chip to-end" onClick=${follow.start}>To the end</button>`}
      <${Composer}
        field=${field}
        running=${conversation.running}
        model=${model}
        setModel=${setModel}
        onAsk=${ask}
        onStop=${() => conversation.stop()}
      />
      <p class="unseen" role="status">${status}</p>
    </section>
  `;
}

function Messages({ traceId, ready, conversation, names, ask, onStatus }) {
  const { turns, loaded, error, running, suggestions, earlier } = conversation;
  if (!loaded) return html`<${Notice}>Loading…<//>`;
  return html`
    ${error && html`<${Notice} bad retry=${() => conversation.load()}>${api.describeError(error)}<//>`}
    ${!turns.length && !error && html`<${Welcome} traceId=${traceId} ready=${ready} ask=${ask} />`}
    ${earlier !== null &&
    html`<button type="button" class="chip" onClick=${() => conversation.loadEarlier()}>Show earlier questions</button>`}
    <div class="transcript" role="log" aria-label="Conversation">
      ${turns.map(
        (turn, index) => html`
          <${Turn}
            key=${index}
            turn=${turn}
            last=${index === turns.length - 1}
            conversation=${conversation}
            names=${names}
            ask=${ask}
            onStatus=${onStatus}
          />
        `,
      )}
    </div>
    ${!running && suggestions.length > 0 && html`<${Chips} questions=${suggestions} ask=${ask} label="Follow-up questions" />`}
  `;
}

/** An empty conversation, with questions to begin with. */
function Welcome({ traceId, ready, ask }) {
  const { value } = useLoading((signal) => api.readSuggestions(traceId, signal), traceId, { ready });
  return html`
    <div class="welcome">
      <h2>What do you want to know?</h2>
      <p>The assistant reads this trace and its spans, and cites what it finds.</p>
      ${value && html`<${Chips} questions=${value} ask=${ask} label="Questions to begin with" />`}
    </div>
  `;
}

const Chips = ({ questions, ask, label }) => html`
  <div class="chips" role="group" aria-label=${label}>
    ${questions.map(
      (question) =>
        html`<button type="button" class="chip" key=${question} onClick=${() => ask(question)}>${question}</button>`,
    )}
  </div>
`;
