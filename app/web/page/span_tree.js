// The rows of a waterfall as a tree: repeated siblings grouped, branches folded, matches filtered.

const GROUP_FROM = 4; // as many neighbours of one name say less than their sum
const CROWDED = 40; // children of one parent, from which on their order matters less than their kinds

/**
 * The tree of the rows (parents before children). An item is a span `{ id, row, depth, children }`,
 * or a group `{ id, group, row, depth, children }` whose `row` sums up its members.
 */
export function buildTree(rows) {
  const items = new Map();
  const roots = [];
  for (const row of rows) {
    const item = { id: row.id, row, parent: items.get(row.parent) ?? null, children: [] };
    items.set(row.id, item);
    (item.parent?.children ?? roots).push(item);
  }
  return { items, roots: arrange(roots) };
}

/** Groups siblings on every level, then numbers the levels. */
function arrange(roots) {
  const grouped = groupSiblings(roots, null);
  const waiting = [...grouped];
  while (waiting.length) {
    const item = waiting.pop();
    item.depth = item.parent ? item.parent.depth + 1 : 0;
    if (!item.group) item.children = groupSiblings(item.children, item);
    for (const child of item.children) waiting.push(child);
  }
  return grouped;
}

const kindOf = ({ row }) => `${row.type}\n${row.name}`;

function groupSiblings(siblings, parent) {
  if (siblings.length < GROUP_FROM) return siblings;
  const runs = siblings.length > CROWDED ? byKind(siblings) : neighbours(siblings);
  return runs.flatMap((run) => (run.length < GROUP_FROM ? run : [makeGroup(run, parent)]));
}

const byKind = (siblings) => [...Map.groupBy(siblings, kindOf).values()];

function neighbours(siblings) {
  const runs = [];
  for (const item of siblings) {
    const last = runs.at(-1);
    if (last && kindOf(last[0]) === kindOf(item)) last.push(item);
    else runs.push([item]);
  }
  return runs;
}

function makeGroup(members, parent) {
  const first = members[0].row;
  const group = { id: `group ${first.id}`, group: true, parent, children: members };
  for (const member of members) member.parent = group;
  group.row = sumUp(members.map(({ row }) => row));
  return group;
}

/** A row for several: from the first start to the last end, the sums of what can be added. */
function sumUp(rows) {
  const start = rows.reduce((least, row) => Math.min(least, row.start_ms), Infinity);
  const end = rows.reduce((most, row) => Math.max(most, row.start_ms + row.duration_ms), 0);
  const sum = (name) => rows.reduce((total, row) => total + (row[name] ?? 0), 0);
  return {
    id: `group ${rows[0].id}`,
    name: rows[0].name,
    type: rows[0].type,
    start_ms: start,
    duration_ms: end - start,
    work_ms: sum("duration_ms"),
    errors: rows.filter((row) => row.error).length,
    critical: rows.flatMap((row) => row.critical ?? []),
    tokens: sum("tokens"),
    cost: sum("cost"),
    count: rows.length,
  };
}

/** Whether a branch is open: groups are closed at first, all else is open; `toggled` are others. */
export const isOpen = (item, toggled) => Boolean(item.group) === toggled.has(item.id);

/** The items that are in view, from the top, when `toggled` are not as they were at first. */
export function listOpen({ roots }, toggled) {
  const shown = [];
  const waiting = roots.toReversed();
  while (waiting.length) {
    const item = waiting.pop();
    shown.push(item);
    if (item.children.length && isOpen(item, toggled)) pushReversed(waiting, item.children);
  }
  return shown;
}

/** The spans that match, with all above them; groups are left out. */
export function listMatching({ roots }, { text, failed }) {
  const wanted = text.trim().toLocaleLowerCase();
  const matches = ({ group, row }) =>
    !group && (!failed || row.error) && row.name.toLocaleLowerCase().includes(wanted);
  const kept = new Set();
  const found = [];
  const all = [];
  const waiting = roots.toReversed();
  while (waiting.length) {
    const item = waiting.pop();
    all.push(item);
    if (matches(item)) {
      found.push(item);
      for (let above = item; above && !kept.has(above); above = above.parent) kept.add(above);
    }
    pushReversed(waiting, item.children);
  }
  return { shown: all.filter((item) => kept.has(item) && !item.group), found: new Set(found) };
}

function pushReversed(stack, items) {
  for (let index = items.length - 1; index >= 0; index -= 1) stack.push(items[index]);
}

/** `toggled` with everything above an item opened. */
export function openTo(item, toggled) {
  const opened = new Set(toggled);
  for (let above = item?.parent; above; above = above.parent) {
    if (!isOpen(above, opened)) flip(opened, above.id);
  }
  return opened;
}

/** `toggled` with all branches open, or all closed. */
export function toggleAll({ roots }, open) {
  const toggled = new Set();
  const waiting = [...roots];
  while (waiting.length) {
    const item = waiting.pop();
    if (item.children.length && isOpen(item, toggled) !== open) toggled.add(item.id);
    for (const child of item.children) waiting.push(child);
  }
  return toggled;
}

/** `toggled` with one branch the other way round. */
export function toggleOne(item, toggled) {
  const changed = new Set(toggled);
  flip(changed, item.id);
  return changed;
}

function flip(set, id) {
  if (!set.delete(id)) set.add(id);
}
