/* Marking pairs of frames: both are loaded before either is shown; an answer is in the file before the next pair comes.
   The state lies in the file: reload at will. */
"use strict";

const $ = (id) => document.getElementById(id);
const PANELS = ["trial", "end", "trouble"];
const GUARD_MS = 150; // a key still held from the pair before is no answer

let shown = null;   // the pair on the screen, while an answer to it is awaited
let since = 0;      // when it was shown
let busy = false;   // a request is under way

function show(panel) {
  const changed = $(panel).hidden;
  for (const id of PANELS) $(id).hidden = id !== panel;
  if (changed) document.querySelector(`#${panel} h1`).focus();
}

async function post(path, body) {
  const reply = await fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body || {}),
  });
  const tree = await reply.json();
  if (!reply.ok) throw new Error(tree.error);
  return tree;
}

async function load(url, alt, state) {
  const image = new Image(state.width, state.height);
  image.alt = alt;
  image.draggable = false;
  image.src = url;
  await image.decode();
  return image;
}

async function present(state) {
  $("progress").max = state.total;
  $("progress").value = state.done;
  $("count").textContent = `${state.done} of ${state.total}`;
  if (!state.pair) {
    const { yes, no, skip } = state.counts;
    $("sum").textContent = `${yes} yes, ${no} no, ${skip} skipped.`;
    show("end");
    return;
  }
  const root = document.documentElement.style;
  root.setProperty("--w", `${Math.max(state.width, 256)}px`);
  root.setProperty("--ratio", String(state.width / state.height));
  const images = await Promise.all([
    load(state.pair.left, "Frame 1", state), load(state.pair.right, "Frame 2", state),
  ]);
  $("left-frame").replaceChildren(images[0]);
  $("right-frame").replaceChildren(images[1]);
  $("trial").dataset.pair = state.pair.number;
  show("trial");
  shown = state.pair;
  since = performance.now();
  if (state.ahead) for (const url of [state.ahead.left, state.ahead.right]) new Image().src = url;
}

async function act(path, body, said) {
  if (busy) return;
  busy = true;
  shown = null;
  try {
    const state = await post(path, body);
    $("status").textContent = state.undone === false ? "There is nothing to undo." : said;
    await present(state);
  } catch (error) {
    $("trouble-text").textContent = `${error.message || error}. What was answered before is stored.`;
    show("trouble");
  } finally {
    busy = false;
  }
}

function answer(said) {
  if (!shown || busy || performance.now() - since < GUARD_MS) return;
  act("/answer", { pair: shown.number, said }, { yes: "Last: yes", no: "Last: no", skip: "Last: skipped" }[said]);
}

function undo() {
  if (!$("trouble").hidden) return;
  act("/undo", {}, "Taken back.");
}

for (const said of ["yes", "no", "skip"]) $(said).addEventListener("click", () => answer(said));
for (const id of ["undo", "undo-last"]) $(id).addEventListener("click", undo);
$("again").addEventListener("click", () => location.reload());
document.addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const said = { y: "yes", n: "no", s: "skip" }[key];
  if (said) { event.preventDefault(); answer(said); }
  if (key === "u" || key === "Backspace") { event.preventDefault(); undo(); }
});
act("/next", {}, "Loading the first pair…").then(() => { $("status").textContent = ""; });
