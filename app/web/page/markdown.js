// Markdown of a model that may have read hostile text: no images, no HTML, no link elsewhere.

import { Marked } from "./vendor/marked.mjs";
import DOMPurify from "./vendor/purify.mjs";
import complete from "./vendor/remend.mjs";
import { html, useLayoutEffect, useRef } from "./library.js";

const ALLOWED_TAGS =
  "a p br hr strong em del code pre blockquote ul ol li h1 h2 h3 h4 h5 h6 table thead tbody tr th td".split(
    " ",
  );

const escaped = (text) =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** The path, query and anchor of a link of this origin; null for any other. */
function pathHere(href) {
  if (!/^(https?:\/\/|[/?#])/.test(href)) return null;
  try {
    const url = new URL(href, location.href);
    return url.origin === location.origin ? url.pathname + url.search + url.hash : null;
  } catch {
    return null;
  }
}

const reader = new Marked({
  gfm: true,
  renderer: {
    html: ({ text }) => escaped(text),
    image: ({ text, href }) => escaped(`${text || "image"} (${href})`),
    checkbox: ({ checked }) => (checked ? "☑ " : "☐ "),
    link({ href, tokens }) {
      const text = this.parser.parseInline(tokens);
      const path = pathHere(href);
      if (path !== null) return `<a href="${escaped(path)}">${text}</a>`;
      // The target of a foreign link is shown as text and not linked.
      return text === escaped(href) ? `<code>${text}</code>` : `${text} <code>${escaped(href)}</code>`;
    },
  },
});

DOMPurify.addHook("afterSanitizeAttributes", (node) => {
  if (node.hasAttribute("href") && pathHere(node.getAttribute("href")) === null) {
    node.removeAttribute("href");
  }
  if (node.localName === "pre" || node.localName === "code") node.setAttribute("dir", "ltr");
  // What scrolls sideways can be reached by keyboard.
  if (node.localName === "pre" || node.localName === "table") node.setAttribute("tabindex", "0");
});

/** Shows a Markdown text as the element's content; of one that is still written, whole marks. */
export function renderMarkdown(element, text, { open = false } = {}) {
  const whole = open ? complete(text, { linkMode: "text-only" }) : text;
  const fragment = DOMPurify.sanitize(reader.parse(whole), {
    ALLOWED_TAGS,
    ALLOWED_ATTR: ["href", "start", "align"],
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    RETURN_DOM_FRAGMENT: true,
  });
  // Each block reads from the side from which its first word does: a list or a table as a whole.
  for (const block of fragment.children) if (!block.dir) block.dir = "auto";
  element.replaceChildren(fragment);
}

export function Markdown({ text, open, class: kind }) {
  const place = useRef(null);
  useLayoutEffect(() => renderMarkdown(place.current, text, { open }), [text, open]);
  return html`<div class=${kind} ref=${place} aria-busy=${open ? "true" : null}></div>`;
}
