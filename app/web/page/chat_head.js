// Above the conversation: which one it is.

import { html } from "./library.js";

export function ChatHead() {
  return html`<header class="chat-head"></header>`;
}
