// Numbers and times as people read them.

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const absolute = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "medium" });
const whole = new Intl.NumberFormat("en");

const STEPS = [
  ["second", 60],
  ["minute", 60],
  ["hour", 24],
  ["day", 30],
  ["month", 12],
  ["year", Infinity],
];

/** A time as the distance from now. */
export function ago(time, now = Date.now()) {
  let distance = (Date.parse(time) - now) / 1000;
  for (const [unit, size] of STEPS) {
    if (Math.abs(distance) < size) return relative.format(Math.round(distance), unit);
    distance /= size;
  }
  return "";
}

export const moment = (time) => absolute.format(new Date(time));

/** Milliseconds; a running span has none. */
export function duration(milliseconds) {
  if (milliseconds === null || milliseconds === undefined) return "running";
  if (milliseconds < 1) return "< 1 ms";
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/** US dollars, small ones to two digits that count. */
export function cost(dollars) {
  if (!dollars) return "";
  if (dollars >= 0.01) return `$${dollars.toFixed(2)}`;
  return `$${dollars.toLocaleString("en", { maximumSignificantDigits: 2 })}`;
}

export const count = (number, noun) => `${whole.format(number)} ${noun}${number === 1 ? "" : "s"}`;
