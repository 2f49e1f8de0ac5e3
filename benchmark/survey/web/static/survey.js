/* The trials of a study: both images are loaded and decoded before either is shown; what was shown for how long is
   measured in frames and goes with the vote. No library. The state of the study lies on the server: reload at will. */
"use strict";

const $ = (id) => document.getElementById(id);
const PANELS = ["intro", "pause", "trial", "feedback", "trouble"];
const FIXATION_MS = 500, MASK_MS = 250, GUARD_MS = 150; // the last: a key still held from the round before is no answer
const frame = () => new Promise(requestAnimationFrame);
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

let refreshHz = null;   // measured once, before the first trial
let hidden = 0;         // times that the page lost sight during the trial
let answer = null;      // takes "left" or "right" while an answer is awaited

function show(panel, focus) {
  const changed = $(panel).hidden;
  for (const id of PANELS) $(id).hidden = id !== panel;
  if (changed) (focus || document.querySelector(`#${panel} h1`)).focus(); // between two trials the focus stays put
}

function pressed(button) {
  return new Promise((done) => $(button).addEventListener("click", done, { once: true }));
}

async function post(path, body) {
  for (let attempt = 0; ; attempt++) {
    try {
      const reply = await fetch(path, {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body || {}),
      });
      const tree = await reply.json();
      if (reply.ok) { $("status").textContent = ""; return tree; }
      if (reply.status < 500 && reply.status !== 429) throw Object.assign(new Error(tree.error), { final: true });
    } catch (error) {
      if (error.final) throw error;
    }
    // The same vote may be sent twice: the server keeps the first.
    if (attempt) $("status").textContent = "No connection. Your answer is kept; trying again…";
    await sleep(Math.min(8000, 400 * 2 ** attempt));
  }
}

async function measureRefresh() {
  const gaps = [];
  let last = await frame();
  for (let n = 0; n < 30; n++) { const now = await frame(); gaps.push(now - last); last = now; }
  gaps.sort((a, b) => a - b);
  return 1000 / gaps[gaps.length >> 1];
}

async function load(url, alt, trial, mark) {
  const image = new Image(trial.width, trial.height);
  image.alt = alt;
  image.draggable = false;
  if (mark) image.setAttribute("elementtiming", mark);
  for (let attempt = 0; ; attempt++) {
    try { image.src = url; await image.decode(); return image; } catch {
      $("status").textContent = "An image is slow to arrive; trying again…";
      await sleep(Math.min(8000, 500 * 2 ** attempt));
      image.removeAttribute("src");
    }
  }
}

function noise(trial) {
  const canvas = document.createElement("canvas"), block = 8;
  canvas.width = Math.ceil(trial.width / block); canvas.height = Math.ceil(trial.height / block);
  const context = canvas.getContext("2d"), pixels = context.createImageData(canvas.width, canvas.height);
  for (let i = 0; i < pixels.data.length; i += 4) {
    for (let c = 0; c < 3; c++) pixels.data[i + c] = Math.random() * 256;
    pixels.data[i + 3] = 255;
  }
  context.putImageData(pixels, 0, 0);
  canvas.setAttribute("aria-hidden", "true");
  return canvas;
}

function fill(slot, ...content) { $(slot).replaceChildren(...content); }

function cross() {
  const mark = document.createElement("span");
  mark.className = "cross";
  return mark;
}

function taking(on) {
  for (const side of ["left", "right"]) $(side).setAttribute("aria-disabled", on ? "false" : "true");
}

function awaitAnswer() {
  taking(true);
  const since = performance.now();
  return new Promise((done) => {
    answer = (side) => {
      if (performance.now() - since < GUARD_MS) return;
      answer = null;
      taking(false);
      $(side).classList.add("taken");
      done(side);
    };
  });
}

/* Frames between the two images as the browser says it painted them; null where it does not say. */
function onsetSkew(expected) {
  if (!window.PerformanceObserver || !PerformanceObserver.supportedEntryTypes.includes("element")) {
    return { read: () => null };
  }
  const times = {};
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) times[entry.identifier] = entry.renderTime || entry.startTime;
  });
  observer.observe({ type: "element", buffered: false });
  return {
    read() {
      for (const entry of observer.takeRecords()) times[entry.identifier] = entry.renderTime || entry.startTime;
      observer.disconnect();
      const [a, b] = expected.map((name) => times[name]);
      return a && b ? Math.round(Math.abs(a - b) * refreshHz / 1000) : null;
    },
  };
}

async function expose(images, trial, skew) {
  const masks = [noise(trial), noise(trial)];
  for (const [slot, image] of [["left-frame", images[0]], ["right-frame", images[1]]]) {
    image.classList.add("wait");
    fill(slot, cross(), image);
  }
  await sleep(FIXATION_MS);
  const on = await frame();
  for (const image of images) image.classList.remove("wait");
  let now = on, frames = 0;
  while (now - on < trial.duration_ms - 500 / refreshHz) { now = await frame(); frames++; }
  fill("left-frame", masks[0]);
  fill("right-frame", masks[1]);
  await sleep(MASK_MS);
  fill("left-frame");
  fill("right-frame");
  return { on_ms: on, off_ms: now, frames, refresh_hz: refreshHz, skew_frames: skew.read() };
}

function shrunk(trial) { return $("left-frame").getBoundingClientRect().width < trial.width - 1; }

async function run(trial) {
  const root = document.documentElement.style;
  root.setProperty("--w", `${trial.width}px`);
  root.setProperty("--ratio", String(trial.width / trial.height));
  $("label").textContent = trial.practice ? "Practice" : "Pair";
  $("count").textContent = `${trial.number} of ${trial.total}`;
  $("progress").max = trial.total;
  $("progress").value = trial.number - 1;
  for (const side of ["left", "right"]) $(side).classList.remove("taken");
  taking(false);
  fill("left-frame", cross());
  fill("right-frame", cross());
  if ($("exemplar")) fill("exemplar");
  show("trial");

  const timed = trial.duration_ms !== null;
  const mark = String(trial.key), names = [`${mark}l`, `${mark}r`];
  const [left, right, exemplar] = await Promise.all([
    load(trial.left, "Image A", trial, names[0]),
    load(trial.right, "Image B", trial, names[1]),
    trial.exemplar ? load(trial.exemplar, "Exemplar", trial) : null,
  ]);
  hidden = document.hidden ? 1 : 0;
  const measured = {};
  if (exemplar) { await frame(); fill("exemplar", exemplar); }
  let start;
  if (timed) {
    while (shrunk(trial)) {
      const least = Math.ceil(2 * trial.width + 88);
      $("trouble-text").textContent = `Please make this window larger, at least ${least} pixels wide: the images must `
        + "be shown whole.";
      show("trouble");
      await pressed("again");
      show("trial");
    }
    Object.assign(measured, await expose([left, right], trial, onsetSkew(names)));
    start = measured.on_ms;
  } else {
    start = await frame();
    fill("left-frame", left);
    fill("right-frame", right);
  }
  $("status").textContent = "";
  const choice = await awaitAnswer();
  if (timed) measured.small = shrunk(trial);
  return { key: trial.key, choice, rt_ms: performance.now() - start, hidden, ...measured };
}

async function feedback(right) {
  $("feedback-title").textContent = right ? "Yes" : "Look again";
  $("feedback-text").textContent = right
    ? "That is the one we meant."
    : "In this practice pair we meant the other image. In the study itself there is no right or wrong.";
  show("feedback", $("onward"));
  await pressed("onward");
}

async function main() {
  $("status").textContent = "";
  let next = await post("/next");
  if (!next.end) {
    show("intro", $("begin"));
    await pressed("begin");
    refreshHz = await measureRefresh();
  }
  let practised = !next.end && next.practice;
  while (!next.end) {
    if (practised && !next.practice) {
      practised = false;
      $("pause-text").textContent = "That was the practice. Now the study itself begins.";
      document.querySelector("#pause h1").textContent = "Ready?";
      show("pause", $("resume"));
      await pressed("resume");
    } else if (next.pause) {
      document.querySelector("#pause h1").textContent = "A short break";
      $("pause-text").textContent = `${next.number - 1} of ${next.total} are done. Rest your eyes; go on when you like.`;
      show("pause", $("resume"));
      await pressed("resume");
    }
    const reply = await post("/vote", await run(next));
    if ("right" in reply) await feedback(reply.right);
    next = reply.next;
    if (!reply.saved) $("status").textContent = "That round was disturbed; here is another.";
  }
  location.assign($("study").dataset.done || "/done"); // a study without a server stays on its page
}

async function trouble(error) {
  $("trouble-text").textContent = error.message || String(error);
  show("trouble");
  await pressed("again");
  location.reload();
}

for (const side of ["left", "right"]) $(side).addEventListener("click", () => { if (answer) answer(side); });
document.addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.altKey || event.metaKey || !answer) return;
  const side = { f: "left", ArrowLeft: "left", j: "right", ArrowRight: "right" }[
    event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (side) { event.preventDefault(); answer(side); }
});
document.addEventListener("visibilitychange", () => { if (document.hidden) hidden++; });
main().catch(trouble);
