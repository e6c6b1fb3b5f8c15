// Elements from plain values. Text is only ever set as text, so nothing in it can become markup.

const SVG = "http://www.w3.org/2000/svg";

const ICONS = {
  back: "M15 5l-7 7 7 7",
  send: "M12 19V5M6 11l6-6 6 6",
  stop: "M7 7h10v10H7z",
  tick: "M5 13l4 4L19 7",
  up: "M7 11v9H4v-9zM7 11l4-8c2 0 3 1 3 3v4h5c1 0 2 1 2 2l-2 7c0 1-1 1-2 1H7",
  down: "M7 13V4H4v9zM7 13l4 8c2 0 3-1 3-3v-4h5c1 0 2-1 2-2l-2-7c0-1-1-1-2-1H7",
  bin: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  refresh: "M20 11a8 8 0 1 0-2 6M20 5v6h-6",
  chevron: "M9 6l6 6-6 6",
};

/** An element: attributes with an `on…` function listen, `true` stands alone, null is left out. */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== null && value !== undefined && value !== false)
      element.setAttribute(key, value);
  }
  element.append(...children.flat().filter((each) => each !== null && each !== undefined));
  return element;
}

/** One of the page's drawings, hidden from screen readers: its button carries the words. */
export function icon(name) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", "0 0 24 24");
  drawing.setAttribute("class", "icon");
  drawing.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", ICONS[name]);
  drawing.append(line);
  return drawing;
}

/** A button that shows only an icon. */
export function iconButton(name, label, onclick, attributes = {}) {
  const named = { type: "button", class: "quiet", title: label, "aria-label": label, onclick };
  return make("button", { ...named, ...attributes }, icon(name));
}
