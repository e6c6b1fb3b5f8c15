// The question's field, with the choice of the model, and Stop while an answer is written.

import * as api from "./api.js";
import { IconButton, Unseen } from "./controls.js";
import { html, useState } from "./library.js";
import { useLoading } from "./loading.js";
import { Excess, describeExcess } from "./question_length.js";

export function Composer({ field, running, model, setModel, onAsk, onStop }) {
  const [text, setText] = useState("");
  const excess = describeExcess(text);
  const ready = text.trim() && !excess;
  const send = () => {
    if (running || !ready) return;
    setText("");
    onAsk(text);
    field.current.focus();
  };
  const onKeyDown = (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  };
  return html`
    <div class=${running ? "composer busy" : "composer"}>
      <textarea
        id="question"
        ref=${field}
        dir="auto"
        rows="1"
        placeholder="Ask about this trace…"
        aria-label="Your question"
        aria-describedby="question-excess"
        aria-invalid=${excess ? "true" : null}
        value=${text}
        onInput=${(event) => setText(event.target.value)}
        onKeyDown=${onKeyDown}
      ></textarea>
      <${Excess} id="question-excess">${excess}<//>
      <div class="composer-tools">
        <${ModelPicker} model=${model} setModel=${setModel} />
        ${running
          ? html`<${IconButton} icon="stop" class="stop" label="Stop (Esc)" onClick=${onStop} />`
          : html`<${IconButton} icon="send" class="send" label="Send (Enter)" onClick=${send} disabled=${!ready} />`}
      </div>
    </div>
  `;
}

/** The models that a question may name. */
function ModelPicker({ model, setModel }) {
  const { value: models } = useLoading(api.listModels, "models");
  if (!models?.length) return html`<span></span>`;
  return html`
    <label class="model">
      <${Unseen}>Model<//>
      <select value=${model} onChange=${(event) => setModel(event.target.value)}>
        <option value="">Default model</option>
        ${models.map(
          ({ name, usable }) => html`
            <option key=${name} value=${name} disabled=${usable === false}>
              ${name}${usable === false ? " (no key)" : ""}
            </option>
          `,
        )}
      </select>
    </label>
  `;
}
