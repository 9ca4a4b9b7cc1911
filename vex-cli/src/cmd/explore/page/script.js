"use strict";
const $ = id => document.getElementById(id);
const state = { info: null, key: null, trace: null, at: 0, timer: null, kept: 0, keeping: null, asked: {}, sent: {} };
const SILENT = "The server does not answer. Is vex explore still running? If it was ended, run the command again.";

async function get(path) {
  const silent = () => { throw new Error(SILENT); };
  const response = await fetch(path).catch(silent);
  const value = await response.json().catch(silent);
  /* The command was run again, perhaps on another index. */
  if (state.info && value.process !== state.info.process) {
    state.info.process = value.process;
    Promise.all([facts(), listRows()]).catch(failed);
  }
  if (!response.ok) throw new Error(value.error);
  if ($("notice").textContent === SILENT) notice("");
  return value;
}

/* One request of a kind at a time, and of those that wait the last alone. A superseded one has no answer. */
async function latest(kind, path) {
  const mine = state.asked[kind] = {}, element = $(kind);
  element.setAttribute("aria-busy", true);
  await state.sent[kind];
  if (state.asked[kind] !== mine) return null;
  const answer = get(path);
  state.sent[kind] = answer.catch(() => {});
  try {
    const value = await answer;
    return state.asked[kind] === mine ? value : null;
  } catch (error) {
    if (state.asked[kind] === mine) throw error;
    return null;
  } finally {
    if (state.asked[kind] === mine) element.setAttribute("aria-busy", false);
  }
}

/* A distance that is no number comes as null. It sorts last. */
function number(distance) { return distance ?? Infinity; }
function shortened(distance) {
  if (distance === null) return "no number";
  const size = Math.abs(distance);
  /* Four decimals would make the small ones of a tight cluster equal, and the large ones unreadable. */
  return size === 0 || (size >= 1e-3 && size < 1e6) ? distance.toFixed(4) : distance.toExponential(3);
}

function counted(number, one) { return `${number.toLocaleString("en")} ${one}${number === 1 ? "" : "s"}`; }

function notice(text) { $("notice").textContent = text; }
function failed(error) { notice(error.message); }

function text(parent, tag, content, attributes = {}) {
  const element = document.createElement(tag);
  element.textContent = content;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  parent.append(element);
  return element;
}

async function facts() {
  const info = state.info = await get("/info");
  $("name").textContent = info.name;
  $("about").textContent = `${info.count.toLocaleString("en")} vectors of ${info.dim} × ${info.element}, ${info.metric}, m ${info.m}, `
    + `${info.codes ? info.codes + " codes" : "no codes"}, levels of ${info.levels.map(n => n.toLocaleString("en")).join(", ")} nodes`;
  $("codes-label").hidden = !info.codes;
}

function named(row) { return row.text ?? "key " + row.key; }

async function listRows() {
  const answer = await latest("rows", "/rows?find=" + encodeURIComponent($("find").value));
  if (!answer) return [];
  const { rows } = answer;
  $("rows").replaceChildren();
  for (const row of rows) {
    const item = document.createElement("li");
    const button = text(item, "button", named(row), { "data-key": row.key });
    button.setAttribute("aria-current", row.key === state.key);
    button.addEventListener("click", () => pick(row.key));
    $("rows").append(item);
  }
  if (rows.length === 0) text($("rows"), "li", "nothing found", { class: "faint" });
  return rows;
}

/* Each row is an entry of the browser's history. */
function pick(key) {
  if (key !== state.key) {
    keep(true);
    history.pushState(null, "", location.hash);
  }
  state.key = key;
  search();
}

/* Searches, and shows so many steps of it, or all. */
async function search(count = Infinity) {
  $("k-out").textContent = $("k").value;
  $("ef-out").textContent = $("ef").value + (Number($("ef").value) < Number($("k").value) ? `, raised to k: ${$("k").value}` : "");
  $("every-out").textContent = $("every").value === "1" ? "every key" : `keys divisible by ${$("every").value}`;
  for (const button of $("rows").querySelectorAll("button"))
    button.setAttribute("aria-current", button.dataset.key === state.key);
  const every = Number($("every").value), codes = $("codes").checked ? 1 : 0;
  try {
    const answer = await latest("main", `/search?${state.key === null ? "" : `key=${state.key}&`}k=${$("k").value}&ef=${$("ef").value}&every=${every}&codes=${codes}`);
    if (!answer) return;
    Object.assign(state, { key: answer.trace.query.key, trace: answer.trace, every, codes: state.info.codes && codes });
    notice(answer.replaced ? "The file was replaced. This page shows the old one: run the command again." : "");
    stop();
    place();
    $("step").max = state.trace.steps.length;
    $("query").textContent = "Searched for: " + named(state.trace.query);
    show(count);
    answers();
  } catch (error) { failed(error); }
}

/* Where each node is drawn. */
function place() {
  const points = state.trace.points;
  const range = axis => {
    const values = points.map(point => point[2][axis]);
    const least = Math.min(...values), most = Math.max(...values);
    return [least, most > least ? most - least : 1];
  };
  const [x, y] = [range(0), range(1)];
  /* Keys are texts: they can be greater than the numbers of this language. */
  const refused = key => BigInt(key) % BigInt(state.every) !== 0n;
  state.rows = new Map(points.map(([id, key, , text]) => [id, { key, text, refused: refused(key) }]));
  state.places = new Map(points.map(([id, key, at]) =>
    [id, [25 + 550 * (at[0] - x[0]) / x[1], 25 + 370 * (at[1] - y[0]) / y[1]]]));
}

/* The search as it was after so many steps. */
function replay(count) {
  const now = { level: null, seen: new Map(), expanded: new Set(), here: new Set(), list: [], hops: 0, distances: 0, where: "", by: "", text: "Before the first step." };
  const ef = Math.max(Number($("ef").value), Number($("k").value));
  let sizes = [0, 0];
  /* A node comes twice if it was ranked on an upper level and on the base. */
  const offer = (id, distance) => {
    const list = now.list, far = (a, b) => number(a[1]) - number(b[1]) || a[0] - b[0];
    let from = 0, to = list.length;
    while (from < to) { const middle = from + to >> 1; if (far(list[middle], [id, distance]) < 0) from = middle + 1; else to = middle; }
    if (list[from]?.[0] === id) return;
    list.splice(from, 0, [id, distance]);
    if (now.level !== null && now.level > 0) return;
    /* A search with a filter keeps its matches, and 16 times as many nodes to expand. */
    const kind = refused(id), most = kind ? 16 * ef : ef;
    if (++sizes[Number(kind)] <= most) return;
    list.splice(list.findLastIndex(entry => refused(entry[0]) === kind), 1);
    sizes[Number(kind)] = most;
  };
  now.by = state.codes ? "codes" : "vectors";
  const restart = list => {
    now.list = list;
    sizes = [0, 0];
    for (const [id] of list) sizes[Number(refused(id))] += 1;
  };
  const name = id => named(state.rows.get(id));
  let first = null;
  for (const step of state.trace.steps.slice(0, count)) {
    const [kind, a, b] = step;
    if (kind === "level") {
      now.text = a === 0 ? "The search goes down to the base: from here on it keeps a list." : `Greedy descent on level ${a}.`;
      now.where = a === 0 ? "base" : `level ${a}`;
      if (a === 0) restart(now.list.filter((entry, index) => index === 0 || entry[0] === first));
      now.here.clear();
      now.level = a;
    } else if (kind === "rank") {
      first ??= a;
      now.seen.set(a, b);
      now.distances += 1;
      offer(a, b);
      now.text = `Distance ${shortened(b)}: ${name(a)}`;
    } else if (kind === "expand") {
      now.expanded.add(a);
      now.here.add(a);
      now.hops += 1;
      now.text = `Hop ${now.hops} expands “${name(a)}”. Its links are ranked next, except those seen before.`;
    } else if (kind === "scan") {
      now.where = "exact scan";
      now.text = "Every node that the filter accepts is ranked from here on.";
    } else if (kind === "refine" || kind === "rerank") {
      const [where, by] = kind === "refine" ? ["refined", "whole codes"] : ["reranked", "vectors"];
      if (now.where !== where) { Object.assign(now, { where, by, level: null }); now.here.clear(); restart([]); }
      offer(a, b);
      now.text = `${kind === "refine" ? "By its whole code" : "By its vector"}, distance ${shortened(b)}: ${name(a)}`;
    } else if (kind === "vectors") {
      restart([]);
      Object.assign(now, { level: null, where: "", by: "vectors", text: "Codes left the answer in doubt: the search begins again by vectors." });
      now.seen.clear(); now.expanded.clear(); now.here.clear(); first = null;
    }
  }
  return now;
}

/* The address keeps what is shown, so that a reload or a bookmark shows it again. Browsers refuse many changes in short time. */
function keep(atOnce = false) {
  clearTimeout(state.keeping);
  const wait = atOnce ? 0 : state.kept + 400 - Date.now();
  if (wait > 0) { state.keeping = setTimeout(keep, wait); return; }
  state.kept = Date.now();
  const shown = new URLSearchParams({ key: state.key, step: state.at });
  for (const name of ["k", "ef", "every"]) shown.set(name, $(name).value);
  if (!$("codes").checked) shown.set("codes", 0);
  if ($("find").value) shown.set("find", $("find").value);
  history.replaceState(null, "", "#" + shown);
}

function show(count) {
  if (!state.trace) return;
  const steps = state.trace.steps.length;
  state.at = Math.max(0, Math.min(count, steps));
  keep();
  $("step").value = state.at;
  const now = replay(state.at);
  $("count").textContent = `Step ${state.at} of ${steps}: ${counted(now.hops, "hop")}, ${counted(now.distances, "distance")}`;
  $("now").textContent = now.text;
  $("phase").textContent = now.where && `(${now.where}, distances by ${now.by})`;
  /* They are known once all is done. */
  const hits = new Set(state.at === steps ? state.trace.hits.map(hit => hit.id) : []);
  draw(now, hits);
  const body = $("list");
  body.replaceChildren();
  const next = now.list.find(entry => !now.here.has(entry[0]));
  for (const [id, distance] of now.list.slice(0, 200)) {
    const row = document.createElement("tr"), expanded = now.here.has(id), words = [];
    if (expanded) { row.className = "expanded"; words.push("expanded"); }
    if (next && id === next[0] && now.level !== null) { row.className = "next"; words.push("next"); }
    if (refused(id)) words.push("refused");
    if (hits.has(id)) words.push("found");
    const name = named(state.rows.get(id));
    text(row, "td", name, { title: name }); text(row, "td", shortened(distance)); text(row, "td", words.join(", "));
    body.append(row);
  }
}

function refused(id) { return state.rows.get(id).refused; }

/* So many hops on: where the next node was just expanded. */
function hop(on) {
  if (!state.trace) return;
  const steps = state.trace.steps, hops = steps.flatMap(([kind], at) => kind === "expand" ? [at + 1] : []);
  show(on > 0 ? hops.find(at => at > state.at) ?? steps.length : hops.findLast(at => at < state.at) ?? 0);
}

function draw(now, hits) {
  const svg = $("plot"), names = "http://www.w3.org/2000/svg";
  svg.replaceChildren();
  const dot = (id, radius, color) => {
    const at = state.places.get(id);
    if (!at) return;
    const circle = document.createElementNS(names, "circle");
    circle.setAttribute("cx", at[0]); circle.setAttribute("cy", at[1]); circle.setAttribute("r", radius);
    circle.setAttribute("class", color);
    const title = document.createElementNS(names, "title");
    title.textContent = named(state.rows.get(id)) + (now.seen.has(id) ? `, distance ${shortened(now.seen.get(id))}` : "");
    circle.append(title);
    svg.append(circle);
  };
  for (const id of now.seen.keys()) if (!now.expanded.has(id)) dot(id, 3, refused(id) ? "refused" : "seen");
  for (const id of now.expanded) dot(id, 4.5, refused(id) ? "refused" : "kept");
  for (const id of hits) dot(id, 5.5, "hit");
  dot(state.trace.query.id, 6, "query");
}

function answers() {
  const { hits, exact } = state.trace;
  const fill = (list, rows, others, word) => {
    list.replaceChildren();
    for (const row of rows) {
      const is = others.some(other => other.id === row.id);
      text(list, "li", `${shortened(row.distance)} ${is ? "" : `(${word}) `}${named(row)}`, { title: named(row), class: is ? "" : "missed" });
    }
  };
  fill($("hits"), hits, exact, "not among the nearest");
  fill($("exact"), exact, hits, "missed");
  const found = exact.filter(row => hits.some(hit => hit.id === row.id)).length;
  $("recall").textContent = `Found ${found} of the ${counted(exact.length, "nearest row")}.`;
  const t = state.trace;
  $("stats").textContent = `In all: ${counted(t.distances, "distance")}, ${counted(t.hops, "hop")}, and ${counted(t.reranked, "candidate")} reranked by vectors. `
    + `The search ended because ${t.end}.`
    + (t.by_vectors ? " Codes left it in doubt, and it was repeated by vectors." : "") + (t.cut ? " Only the first steps are shown." : "");
}

function stop() {
  if (state.timer) clearInterval(state.timer);
  state.timer = null;
  $("play").textContent = "play";
  /* Read aloud, a step takes longer than it is shown while playing. */
  $("now").setAttribute("aria-live", "polite");
}

function play() {
  if (!state.trace) return;
  if (state.timer) { stop(); return; }
  if (state.at === state.trace.steps.length) show(0);
  $("play").textContent = "stop";
  $("now").setAttribute("aria-live", "off");
  state.timer = setInterval(() => {
    if (state.at + 1 >= state.trace.steps.length) stop();
    show(state.at + 1);
  }, 60);
}

/* Shows what the address says, or else what a fresh page shows. */
async function restore() {
  clearTimeout(state.keeping);
  const shown = new URLSearchParams(location.hash.slice(1));
  $("find").value = shown.get("find") ?? "";
  for (const name of ["k", "ef", "every"]) $(name).value = shown.get(name) ?? $(name).defaultValue;
  $("codes").checked = shown.get("codes") !== "0";
  const rows = await listRows();
  if (!state.info.count) { notice("The index is empty."); return; }
  state.key = shown.get("key") ?? rows[0]?.key ?? null;
  await search(shown.has("step") ? Number(shown.get("step")) || 0 : Infinity);
}

for (const name of ["k", "ef", "every", "codes"]) $(name).addEventListener("input", () => search());
$("find").addEventListener("input", () => { if (state.trace) keep(); listRows().catch(failed); });
addEventListener("popstate", () => restore().catch(failed));
$("step").addEventListener("input", () => show(Number($("step").value)));
$("first").addEventListener("click", () => show(0));
$("back").addEventListener("click", () => show(state.at - 1));
$("next").addEventListener("click", () => show(state.at + 1));
$("last").addEventListener("click", () => show(state.trace.steps.length));
$("back-hop").addEventListener("click", () => hop(-1));
$("next-hop").addEventListener("click", () => hop(1));
$("play").addEventListener("click", play);
document.addEventListener("keydown", event => {
  if (!state.trace || event.target.tagName === "INPUT") return;
  const to = { ArrowLeft: state.at - 1, ArrowRight: state.at + 1, Home: 0, End: state.trace.steps.length }[event.key];
  if (to !== undefined) { event.preventDefault(); show(to); }
  if (event.key === "PageUp" || event.key === "PageDown") { event.preventDefault(); hop(event.key === "PageUp" ? -1 : 1); }
  if (event.key === " " && event.target.tagName !== "BUTTON") { event.preventDefault(); play(); }
});

(async () => {
  try {
    await facts();
    await restore();
  } catch (error) { failed(error); }
})();
