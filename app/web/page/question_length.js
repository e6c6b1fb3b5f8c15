// How long a question may be, and what is shown for one that is longer.

import { formatNumber } from "./format.js";
import { html } from "./library.js";

const LONGEST_QUESTION = 32_000; // characters as the service counts them

/** Why a text is too long for a question; "" where it fits. */
export function describeExcess(text) {
  const length = text.length > LONGEST_QUESTION ? countCharacters(text) : 0;
  if (length <= LONGEST_QUESTION) return "";
  const [is, limit, excess] = [length, LONGEST_QUESTION, length - LONGEST_QUESTION].map(formatNumber);
  return `This question is ${is} characters long; the limit is ${limit}. Shorten it by ${excess} to send it.`;
}

/** Code points: an emoji is one, and two in `length`. */
function countCharacters(text) {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** The place of that sentence below a field, which names it by `aria-describedby`. */
export const Excess = ({ id, children }) => html`<p id=${id} class="excess" role="status">${children}</p>`;
