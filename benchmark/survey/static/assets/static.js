/* A study without a server. This page shows the hosted study's own pages one after another, and answers what survey.js
   would ask the server. Answers lie in this browser (localStorage) until they are sent or downloaded; reload at will. */
"use strict";

(() => {
const PAGES = ["invitation", "consent", "questions", "study", "done", "thanks", "message"];
const TEXT = "text/plain;charset=utf-8"; // no preflight: any host may take it
const study = window.STUDY, asked = new URLSearchParams(location.search);
const find = (id) => document.getElementById(id);
const test = asked.has("test");
const person = study.parameter ? asked.get(study.parameter) || "" : "";
const place = `exemplar-bench|${study.list}|${test ? "test" : person || asked.get("p") || ""}`;
const network = window.fetch.bind(window);

let memory = null; // where the browser keeps nothing, answers last as long as this page
let block = [];    // this participant's trials

function recall() {
  try { return JSON.parse(localStorage.getItem(place)) || memory; } catch { return memory; }
}

function keep(state) {
  memory = state;
  try { localStorage.setItem(place, JSON.stringify(state)); } catch { /* see memory */ }
  return state;
}

function random(bytes) {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (n) => n.toString(16).padStart(2, "0")).join("");
}

/* A coarse class of the device; nothing else of the browser's name is kept. */
function device(agent) {
  if (agent.includes("iPad") || (agent.includes("Android") && !agent.includes("Mobile"))) return "tablet";
  return agent.includes("Mobi") ? "phone" : "desktop";
}

function participant() {
  if (!asked.has("p")) return 1 + Math.floor(parseInt(random(6), 16) / 2 ** 48 * study.people);
  const number = Number(asked.get("p"));
  if (!Number.isInteger(number) || number < 1 || number > study.people) {
    throw new Error(`This link is not right: there is no participant ${asked.get("p")}.`);
  }
  return number;
}

function show(name) {
  for (const other of PAGES) find(`page-${other}`).hidden = other !== name;
  const page = find(`page-${name}`);
  page.prepend(find("banner"));
  document.body.className = page.className;
  scrollTo(0, 0);
  const heading = page.querySelector("h1");
  if (name !== "study") { heading.tabIndex = -1; heading.focus(); }
}

function script(source) {
  return new Promise((done, failed) => {
    const element = Object.assign(document.createElement("script"), { src: source, onload: done });
    element.onerror = () => failed(new Error(`A part of the study is missing (${source}). Please reload the page.`));
    document.body.append(element);
  });
}

/* ---- what survey.js asks the server ---- */

function upcoming(state) {
  const trial = block[state.votes.length];
  return trial ? { ...trial, meant: undefined } : { end: true, total: block[block.length - 1].total };
}

function vote(given) {
  const state = recall(), number = Number(given.key), trial = block[number];
  if (number === state.votes.length) { // else it was given before, in another tab: the first one stays
    state.votes.push({ ...given, left: trial.left, right: trial.right, at: Date.now() });
    if (state.votes.length === block.length) state.finished = Date.now();
    keep(state);
  }
  const reply = { saved: true, next: upcoming(state) };
  if (trial.practice) reply.right = state.votes[number].choice === trial.meant;
  return reply;
}

window.fetch = async (path, options) => {
  const tree = path === "/next" ? upcoming(recall()) : vote(JSON.parse(options.body));
  return new Response(JSON.stringify(tree), { headers: { "Content-Type": "application/json" } });
};

/* ---- handing in ---- */

function crc32(text) {
  let crc = -1;
  for (const byte of new TextEncoder().encode(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (~crc >>> 0).toString(16).padStart(8, "0");
}

/* The checksum is over the very text of the body, so that nobody has to write numbers as we do. */
function file() {
  const { given, ...state } = recall();
  const body = JSON.stringify({ study: study.study, list: study.list, test, device: device(navigator.userAgent), ...state });
  return JSON.stringify({ format: "exemplar-bench answers", version: 1, crc32: crc32(body), body }) + "\n";
}

function download() {
  const state = recall(), link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([file()], { type: "application/json" }));
  link.download = `answers-${state.p}-${state.session.slice(0, 8)}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

async function handIn(way) {
  const status = find("hand-in-status");
  if (way === "download") download();
  else {
    status.textContent = "Sending…";
    try {
      const reply = await network(study.post, { method: "POST", headers: { "Content-Type": TEXT }, body: file() });
      if (!reply.ok) throw new Error(String(reply.status));
    } catch {
      status.textContent = "Your answers could not be sent. They are still here: please try again in a moment, or "
        + "download them and hand in the file.";
      return;
    }
  }
  status.textContent = "";
  keep({ ...recall(), given: way });
  go();
}

function thank(state) {
  const code = test ? "TEST" : study.code || state.session.slice(0, 10).toUpperCase();
  find("thanks-text").textContent = state.given === "send" ? "Your answers have arrived."
    : `Please give the downloaded file, answers-${state.p}-${state.session.slice(0, 8)}.json, to the people who `
      + "invited you.";
  find("code").textContent = code;
  if (study.returnAddress && !test) {
    find("return").href = study.returnAddress.replace("{code}", encodeURIComponent(code));
    find("return-line").hidden = false;
  }
}

/* ---- the way through the pages ---- */

let running = false;

function go() {
  const state = recall();
  if (!state) show("invitation");
  else if (study.questions && !state.asked) show("questions");
  else if (!state.finished) {
    show("study");
    if (running) return;
    running = true;
    find("study").dataset.done = "#done";
    if (state.votes.length) find("begin").textContent = "Go on";
    script("survey.js").catch(trouble);
  } else if (!state.given) show("done");
  else { thank(state); show("thanks"); }
}

function trouble(error) {
  find("message").textContent = error.message;
  show("message");
}

async function begin(number) {
  await script(`blocks/${number}.js`);
  block = window.BLOCK;
}

const submitted = {
  "page-invitation": () => show("consent"),
  "page-consent": async () => {
    const number = participant();
    await begin(number);
    keep({ session: random(16), p: number, person, consent: study.consent, started: Date.now(), asked: false,
      answers: {}, votes: [], comment: "" });
    go();
  },
  "page-questions": (form, button) => {
    const answers = button && button.name === "skip" ? {} : Object.fromEntries(new FormData(form));
    keep({ ...recall(), asked: true, answers });
    go();
  },
  "page-done": (form, button) => {
    keep({ ...recall(), comment: form.elements.comment.value });
    return handIn(button ? button.value : study.post ? "send" : "download");
  },
};

async function start() {
  find("banner").hidden = !test;
  participant(); // a wrong number is said at once
  if (study.parameter && !person && !test) throw new Error(`This link is incomplete: it lacks ${study.parameter}.`);
  if (study.timed && location.protocol === "file:") {
    throw new Error("This study measures how long images are shown. Please open it from a web address, not as a file.");
  }
  const state = recall();
  if (state) await begin(state.p);
  go();
}

document.addEventListener("submit", (event) => {
  event.preventDefault();
  const page = event.target.closest("[id^=page-]").id;
  Promise.resolve(submitted[page](event.target, event.submitter)).catch(trouble);
});
find("download-again").addEventListener("click", download);
addEventListener("hashchange", go);
start().catch(trouble);
})();
