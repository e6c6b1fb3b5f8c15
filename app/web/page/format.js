// Numbers and times as the browser's locale writes them.

const LOCALES = navigator.languages?.length ? [...navigator.languages] : undefined;
const number = (options) => new Intl.NumberFormat(LOCALES, options);
const unit = (name, options) => number({ style: "unit", unit: name, ...options });

const relative = new Intl.RelativeTimeFormat(LOCALES, { numeric: "auto" });
const absolute = new Intl.DateTimeFormat(LOCALES, { dateStyle: "medium", timeStyle: "medium" });
const whole = number({ maximumFractionDigits: 0 });
const significant = number({ maximumSignificantDigits: 3 });
const percent = number({ style: "percent", maximumFractionDigits: 0 });
const dollars = number({ style: "currency", currency: "USD" });
const cents = number({ style: "currency", currency: "USD", maximumSignificantDigits: 2 });
const milliseconds = unit("millisecond", { maximumFractionDigits: 0 });
const fewMilliseconds = unit("millisecond", { maximumSignificantDigits: 2 });
const shortSeconds = unit("second", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const seconds = unit("second", { maximumFractionDigits: 1 });
const wholeSeconds = unit("second", { maximumFractionDigits: 0 });
const minutes = unit("minute", { maximumFractionDigits: 0 });
const hours = unit("hour", { maximumFractionDigits: 0 });
const bytes = unit("byte", { maximumFractionDigits: 0, unitDisplay: "long" });
const kilobytes = unit("kilobyte", { maximumFractionDigits: 0 });
const megabytes = unit("megabyte", { maximumFractionDigits: 1 });

const STEPS = [
  ["second", 60],
  ["minute", 60],
  ["hour", 24],
  ["day", 30],
  ["month", 12],
  ["year", Infinity],
];

/** A time as the distance from now. */
export function formatAgo(time, now = Date.now()) {
  let distance = (Date.parse(time) - now) / 1000;
  for (const [name, size] of STEPS) {
    if (Math.abs(distance) < size) return relative.format(Math.round(distance), name);
    distance /= size;
  }
  return "";
}

/** A time in full. */
export const formatTime = (time) => absolute.format(new Date(time));

/** A duration of milliseconds; one that is not known belongs to something that still runs. */
export function formatDuration(value) {
  if (value === null || value === undefined) return "running";
  if (value > 0 && value < 10) return fewMilliseconds.format(value);
  if (value < 1000) return milliseconds.format(value);
  const total = value / 1000;
  if (total < 10) return shortSeconds.format(total);
  if (total < 60) return seconds.format(total);
  if (total < 3600) {
    return `${minutes.format(Math.floor(total / 60))} ${wholeSeconds.format(total % 60)}`;
  }
  return `${hours.format(Math.floor(total / 3600))} ${minutes.format((total % 3600) / 60)}`;
}

/** US dollars; small amounts with two digits that count. */
export function formatCost(value) {
  if (!value) return "";
  return value >= 0.01 ? dollars.format(value) : cents.format(value);
}

export const formatNumber = (value) => whole.format(value);

export const formatShare = (value) => percent.format(value);

/** A number with its noun: "1 span", "1,497 spans". */
export const formatCount = (value, noun) => `${whole.format(value)} ${noun}${value === 1 ? "" : "s"}`;

/** A feedback score: its category, or a number of any scale. */
export const formatScore = ({ category, value }) =>
  category ?? (value === undefined ? "" : significant.format(value));

/** The size of a file. */
export function formatSize(value) {
  if (value === null || value === undefined) return "";
  if (value < 1000) return bytes.format(value);
  return value < 1e6 ? kilobytes.format(value / 1e3) : megabytes.format(value / 1e6);
}
