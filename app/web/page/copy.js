// Copies a text and says so for a moment.

import { IconButton } from "./controls.js";
import { html, useEffect, useState } from "./library.js";

const CONFIRMED_MS = 1500;

/** `text()` gives what is copied. */
export function CopyButton({ label, text }) {
  const [state, setState] = useState("");
  useEffect(() => {
    if (!state) return undefined;
    const timer = setTimeout(() => setState(""), CONFIRMED_MS);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = () =>
    writeText(text()).then(
      () => setState("Copied"),
      () => setState("The browser did not allow copying"),
    );
  return html`
    <${IconButton} icon=${state === "Copied" ? "tick" : "copy"} label=${label} onClick=${copy} />
    <span class="unseen" role="status">${state}</span>
  `;
}

/** The clipboard needs HTTPS; over plain HTTP a selection is copied instead. */
async function writeText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "unseen";
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  if (!copied) throw new Error("not copied");
  return undefined;
}
