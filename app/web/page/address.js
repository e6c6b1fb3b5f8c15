// The page's address is its state: which list, trace, span and conversation is shown.

import { useEffect, useState } from "./library.js";

const CHANGED = "addresschange";

/** The query of the address as a plain object. */
export function readAddress() {
  return Object.fromEntries(new URLSearchParams(location.search));
}

/** A link within the page; the workspace of the address is kept, empty values are left out. */
export function linkTo(query) {
  const { workspace } = readAddress();
  const entries = Object.entries({ workspace, ...query });
  const kept = entries.filter(([, value]) => value !== undefined && value !== null && value !== "");
  return `?${new URLSearchParams(kept)}`;
}

/** Goes to a place of the page: as a new entry of the history, or in place of the current one. */
export function goTo(query, { replace = false } = {}) {
  const url = linkTo(query);
  if (url === (location.search || "?")) return;
  history[replace ? "replaceState" : "pushState"](null, "", url);
  dispatchEvent(new Event(CHANGED));
}

/** Changes parts of the place; an empty value removes its part. */
export function change(parts, options) {
  goTo({ ...readAddress(), ...parts }, options);
}

/** The query of the address, also when it changes. */
export function useAddress() {
  const [address, setAddress] = useState(readAddress);
  useEffect(() => {
    const update = () => setAddress(readAddress());
    addEventListener("popstate", update);
    addEventListener(CHANGED, update);
    return () => {
      removeEventListener("popstate", update);
      removeEventListener(CHANGED, update);
    };
  }, []);
  return address;
}

/** Lets links within the page change its view; all others are the browser's business. */
export function followLinks() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || link.download) return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || url.pathname !== location.pathname) return;
    if (url.hash) return;
    event.preventDefault();
    const asked = Object.fromEntries(url.searchParams);
    const here = readAddress();
    // A citation names trace and span only: the conversation that cites them stays open.
    const same = asked.trace && asked.trace === here.trace;
    goTo(same ? { conversation: here.conversation, ...asked } : asked);
  });
}
