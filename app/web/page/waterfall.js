// The waterfall: a tree of spans with their times. Only the rows in view are drawn.

import { Icon, Unseen } from "./controls.js";
import { formatCost, formatCount, formatDuration, formatNumber } from "./format.js";
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "./library.js";
import { stepFrom } from "./roving.js";
import { buildTree, isOpen, listMatching, listOpen, openTo, toggleAll, toggleOne } from "./span_tree.js";

const ROW_HEIGHT = 30;
const OVERSCAN = 12; // rows drawn beyond either edge, so that scrolling shows no gap
const SMALLEST_GAP = 1 / 500; // of the whole time: closer stretches of a path are drawn as one
const TICKS = [0, 0.25, 0.5, 0.75, 1];
const DEEPEST = 14; // levels that are indented

export function Waterfall({ data, selected, onSelect }) {
  const tree = useMemo(() => buildTree(data.spans), [data]);
  const [toggled, setToggled] = useState(() => new Set());
  const [filter, setFilter] = useState({ text: "", failed: false });
  const filtering = Boolean(filter.text.trim() || filter.failed);
  const { shown, found } = useMemo(
    () => (filtering ? listMatching(tree, filter) : { shown: listOpen(tree, toggled) }),
    [tree, toggled, filter],
  );
  useEffect(() => {
    const item = tree.items.get(selected);
    if (item) setToggled((old) => openTo(item, old));
  }, [tree, selected]);
  const failures = useMemo(() => data.spans.filter((row) => row.error).length, [data]);
  return html`
    <section class="waterfall" aria-label="Spans">
      <${Toolbar}
        filter=${filter}
        setFilter=${setFilter}
        failures=${failures}
        found=${found?.size}
        setAll=${(open) => setToggled(toggleAll(tree, open))}
      />
      <${Axis} duration=${data.duration_ms} />
      ${shown.length
        ? html`<${Rows}
            shown=${shown}
            found=${found}
            total=${data.duration_ms}
            toggled=${toggled}
            fixed=${filtering}
            selected=${selected}
            onSelect=${onSelect}
            onToggle=${(item) => setToggled((old) => toggleOne(item, old))}
          />`
        : html`<p class="notice">${filtering ? "No span matches." : "This trace has no spans yet."}</p>`}
      ${!data.complete && html`<p class="notice">Not all spans could be read.</p>`}
      <${Legend} />
    </section>
  `;
}

function Toolbar({ filter, setFilter, failures, found, setAll }) {
  return html`
    <div class="toolbar">
      <label class="field search">
        <${Unseen}>Search spans by name<//>
        <input
          type="search"
          placeholder="Search spans"
          value=${filter.text}
          onInput=${(event) => setFilter({ ...filter, text: event.target.value })}
        />
      </label>
      <button
        type="button"
        class="chip"
        aria-pressed=${filter.failed}
        disabled=${!failures}
        onClick=${() => setFilter({ ...filter, failed: !filter.failed })}
      >
        ${failures ? `Errors only (${formatNumber(failures)})` : "No errors"}
      </button>
      <span class="found" role="status">${found === undefined ? "" : formatCount(found, "match").replace("matchs", "matches")}</span>
      <button type="button" class="chip" onClick=${() => setAll(true)}>Expand all</button>
      <button type="button" class="chip" onClick=${() => setAll(false)}>Collapse all</button>
    </div>
  `;
}

const LEGEND = [
  ["llm", "model call"],
  ["tool", "tool"],
  ["guardrail", "guardrail"],
  ["general", "other"],
];

const Legend = () => html`
  <p class="legend">
    ${LEGEND.map(([kind, name]) => html`<span class=${`row-kind ${kind}`}><i class="kind"></i>${name}</span>`)}
    <span><i class="line"></i>critical path</span>
  </p>
`;

const Axis = ({ duration }) => html`
  <div class="axis" aria-hidden="true">
    <span class="scale">
      ${TICKS.map((at) => html`<i style=${{ left: `${at * 100}%` }}>${at ? formatDuration(duration * at) : "0"}</i>`)}
    </span>
  </div>
`;

/** The part of a list that is in view, as it scrolls. */
function useWindow(box, count) {
  const [range, setRange] = useState([0, 60]);
  useLayoutEffect(() => {
    const element = box.current;
    const update = () => {
      const first = Math.max(0, Math.floor(element.scrollTop / ROW_HEIGHT) - OVERSCAN);
      const last = Math.ceil((element.scrollTop + element.clientHeight) / ROW_HEIGHT) + OVERSCAN;
      setRange((old) => (old[0] === first && old[1] === last ? old : [first, last]));
    };
    update();
    element.addEventListener("scroll", update, { passive: true });
    const resized = new ResizeObserver(update);
    resized.observe(element);
    return () => {
      element.removeEventListener("scroll", update);
      resized.disconnect();
    };
  }, [count]);
  return range;
}

function Rows({ shown, found, total, toggled, fixed, selected, onSelect, onToggle }) {
  const box = useRef(null);
  const wantsFocus = useRef(false);
  const [active, setActive] = useState(null);
  const [first, last] = useWindow(box, shown.length);
  const places = useMemo(() => new Map(shown.map((item, index) => [item.id, index])), [shown]);
  const current = places.get(active) ?? places.get(selected) ?? 0;

  useLayoutEffect(() => {
    const index = places.get(selected);
    if (index === undefined) return;
    setActive(selected);
    scrollTo(box.current, index);
  }, [selected, places.has(selected)]);
  useLayoutEffect(() => {
    if (!wantsFocus.current) return;
    wantsFocus.current = false;
    box.current.querySelector('[tabindex="0"]')?.focus({ preventScroll: true });
  });

  const move = (index) => {
    wantsFocus.current = true;
    setActive(shown[index].id);
    scrollTo(box.current, index);
  };
  const onKeyDown = (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const page = Math.max(1, Math.floor(box.current.clientHeight / ROW_HEIGHT) - 1);
    const to = stepFrom(event.key, current, shown.length, page);
    const item = shown[current];
    if (to !== null) move(to);
    else if (event.key === "Enter" || event.key === " ") choose(item);
    else if (event.key === "ArrowRight") enter(item);
    else if (event.key === "ArrowLeft") leave(item);
    else return;
    event.preventDefault();
  };
  const choose = (item) => (item.group ? onToggle(item) : onSelect(item.id));
  const enter = (item) => {
    if (!item.children.length || fixed) return;
    if (!isOpen(item, toggled)) onToggle(item);
    else move(current + 1);
  };
  const leave = (item) => {
    if (item.children.length && isOpen(item, toggled) && !fixed) onToggle(item);
    else if (item.parent && places.has(item.parent.id)) move(places.get(item.parent.id));
  };

  const drawn = [];
  for (let index = first; index < Math.min(last, shown.length); index += 1) drawn.push(index);
  if (current < first || current >= last) drawn.push(current);
  return html`
    <div class="rows" ref=${box} role="tree" aria-label="Spans" onKeyDown=${onKeyDown}>
      <div class="sheet" role="none" style=${{ height: `${shown.length * ROW_HEIGHT}px` }}>
        ${drawn.map((index) => {
          const item = shown[index];
          return html`<${Row}
            key=${item.id}
            item=${item}
            index=${index}
            count=${shown.length}
            total=${total}
            open=${item.children.length && !fixed ? isOpen(item, toggled) : null}
            faint=${found && !found.has(item)}
            active=${index === current}
            selected=${item.id === selected}
            onChoose=${(chosen) => {
              setActive(chosen.id);
              choose(chosen);
            }}
            onToggle=${onToggle}
          />`;
        })}
      </div>
    </div>
  `;
}

function scrollTo(box, index) {
  const top = index * ROW_HEIGHT;
  if (top < box.scrollTop) box.scrollTop = top - ROW_HEIGHT;
  else if (top + ROW_HEIGHT > box.scrollTop + box.clientHeight) {
    box.scrollTop = top + 2 * ROW_HEIGHT - box.clientHeight;
  }
}

function Row({ item, index, count, total, open, faint, active, selected, onChoose, onToggle }) {
  const { row, depth } = item;
  const failed = Boolean(row.error || row.errors);
  const toggle = (event) => {
    event.stopPropagation();
    onToggle(item);
  };
  return html`
    <div
      class=${`row ${kindOf(row)} ${failed ? "bad" : ""} ${faint ? "faint" : ""} ${selected ? "picked" : ""}`}
      style=${{ top: `${index * ROW_HEIGHT}px` }}
      role="treeitem"
      tabindex=${active ? 0 : -1}
      aria-level=${depth + 1}
      aria-posinset=${index + 1}
      aria-setsize=${count}
      aria-expanded=${open === null ? null : String(open)}
      aria-selected=${String(selected)}
      aria-label=${describeRow(row)}
      title=${describeRow(row)}
      onClick=${() => onChoose(item)}
    >
      <span class="label" style=${{ paddingLeft: `${Math.min(depth, DEEPEST) * 14}px` }}>
        <span class=${open === null ? "fold none" : `fold ${open ? "open" : ""}`} onClick=${open === null ? null : toggle}>
          ${open !== null && html`<${Icon} name="chevron" />`}
        </span>
        <span class="kind"></span>
        ${item.group && html`<b class="times">${formatNumber(row.count)} ×</b>`}
        <span class="name">${row.name}</span>
        ${failed && html`<span class="mark">${row.errors > 1 ? formatNumber(row.errors) : "!"}</span>`}
      </span>
      <span class="track"><${Bar} row=${row} total=${total} /></span>
      <span class="took">${row.unfinished ? "running" : formatDuration(row.duration_ms)}</span>
    </div>
  `;
}

function Bar({ row, total }) {
  const share = (ms) => (total ? (ms / total) * 100 : 0);
  const left = Math.min(share(row.start_ms), 99.5);
  const stretches = joinStretches(row.critical ?? [], total * SMALLEST_GAP);
  return html`
    <i class="bar" style=${{ left: `${left}%`, width: `${Math.min(share(row.duration_ms), 100 - left)}%` }}></i>
    ${stretches.map(
      ([start, end]) =>
        html`<i class="critical" style=${{ left: `${share(start)}%`, width: `${share(end - start)}%` }}></i>`,
    )}
  `;
}

/** Stretches in the order of time, with gaps below a length closed. */
export function joinStretches(stretches, gap) {
  const joined = [];
  for (const [start, end] of stretches.toSorted((one, other) => one[0] - other[0])) {
    const last = joined.at(-1);
    if (last && start - last[1] < gap) last[1] = Math.max(last[1], end);
    else joined.push([start, end]);
  }
  return joined;
}

export const kindOf = ({ type }) => (["llm", "tool", "guardrail"].includes(type) ? type : "general");

function describeRow(row) {
  return [
    row.count ? `${formatNumber(row.count)} times ${row.name}` : row.name,
    kindOf(row),
    row.unfinished ? "not ended" : formatDuration(row.duration_ms),
    row.critical?.length ? "on the critical path" : "",
    row.error || (row.errors ? formatCount(row.errors, "error") : ""),
    formatCost(row.cost),
  ]
    .filter(Boolean)
    .join(", ");
}
