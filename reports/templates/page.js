// What the page can do beyond being read. Everything here adds to finished HTML: without it nothing is missing but comfort.
"use strict";

const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};

const rowsOf = (table) => [...table.tBodies].flatMap((body) => [...body.rows]);

// A table shows the rows whose name holds what was asked for; of a very long one only so many at a time.

function show(table, wanted = table.wanted ?? "") {
  table.wanted = wanted;
  const limit = Number(table.dataset.limit ?? Infinity);
  let found = 0;
  for (const row of rowsOf(table)) {
    const fits = row.cells[0].textContent.toLowerCase().includes(wanted);
    row.hidden = !fits || found >= limit;
    found += fits;
  }
  return found;
}

// Sorting: heads become buttons; rows move inside their own group, so references stay apart and missing cells last.

const NEXT = { none: "ascending", ascending: "descending", descending: "none" };

const keyOf = (cell) => {
  if (cell.tagName === "TH") return cell.textContent.trim().toLowerCase();
  if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
  return cell.classList.contains("missing") ? null : cell.textContent.trim().toLowerCase();
};

const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));

function sortRows(body, column, direction) {
  const rows = body.written ?? (body.written = [...body.rows]);
  if (direction === "none") return body.append(...rows);
  const sign = direction === "ascending" ? 1 : -1;
  const keyed = rows.map((row) => [keyOf(row.cells[column]), row]);
  const known = keyed.filter(([key]) => key !== null).sort(([a], [b]) => sign * compare(a, b));
  body.append(...known.map(([, row]) => row), ...keyed.filter(([key]) => key === null).map(([, row]) => row));
}

function makeSortable(table) {
  const heads = [...table.tHead.rows[0].querySelectorAll("th")];
  for (const head of heads) {
    const button = make("button", { type: "button", class: "sort" }, ...head.childNodes);
    head.append(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const direction = NEXT[head.getAttribute("aria-sort")];
      for (const other of heads) other.setAttribute("aria-sort", other === head ? direction : "none");
      for (const body of table.tBodies) sortRows(body, head.cellIndex, direction);
      show(table);
    });
  }
}

// Filtering: one field for all tables of a section, by the name of the row.

function makeFilter(place) {
  const tables = [...document.querySelectorAll("table.sortable")];
  const input = make("input", { type: "search", autocomplete: "off", spellcheck: "false" });
  const told = make("output", { role: "status" });
  place.append(make("label", {}, place.dataset.filter + " ", input), told);
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
    const found = sum(tables.map((table) => show(table, wanted)));
    told.value = wanted ? `${found} of ${sum(tables.map((table) => rowsOf(table).length))} rows` : "";
  });
}

// Copying: the clipboard where the browser lends it, else the old way over a selection.

async function copy(text, source) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection().selectAllChildren(source);
    return document.execCommand("copy");
  }
}

function makeCopyable(block) {
  const button = make("button", { type: "button", class: "tool" }, "Copy the command");
  const told = make("output", { role: "status" });
  block.after(make("p", { class: "tools" }, button, told));
  button.addEventListener("click", async () => {
    told.value = (await copy(block.textContent, block)) ? "Copied" : "Selected: copy it with the keyboard";
  });
}

// Comparing: two pictures of an item on top of each other, and an edge between them to move.

function makeWipe(item) {
  const shots = [...item.querySelectorAll(".shot > img:not(.drawn)")];
  const name = (image) => image.closest("figure").querySelector("figcaption").firstChild.textContent.trim();
  const choice = (label, chosen) => {
    const options = shots.map((image, i) => make("option", { value: i }, name(image)));
    const select = make("select", { "aria-label": label }, ...options);
    select.selectedIndex = Math.max(0, chosen);
    return select;
  };
  const first = shots.findIndex((image) => image.closest("figure").classList.contains("method"));
  const left = choice("Left picture", first);
  const right = choice("Right picture", shots.length - 1);
  const under = make("img", { alt: "", draggable: "false" });
  const over = make("img", { alt: "", class: "over", draggable: "false" });
  const edge = make("input", { type: "range", min: 0, max: 100, value: 50, "aria-label": "Edge between both, percent" });
  const draw = () => {
    over.src = shots[left.value].src;
    under.src = shots[right.value].src;
    over.style.clipPath = `inset(0 ${100 - edge.value}% 0 0)`;
  };
  for (const control of [left, right, edge]) control.addEventListener("input", draw);
  draw();
  const stage = make("div", { class: "stage" }, under, over);
  const follow = (event) => {
    const box = stage.getBoundingClientRect();
    edge.value = (100 * (event.clientX - box.left)) / box.width;
    draw();
  };
  stage.addEventListener("pointerdown", (event) => {
    stage.setPointerCapture(event.pointerId);
    follow(event);
  });
  stage.addEventListener("pointermove", (event) => stage.hasPointerCapture(event.pointerId) && follow(event));
  return make("div", { class: "wipe" }, make("p", {}, left, " over ", right), stage, edge);
}

function offerWipe(item) {
  if (item.querySelectorAll(".shot").length < 2) return;
  const button = make("button", { type: "button", class: "tool", "aria-expanded": "false" }, "Compare two pictures");
  const tools = make("p", { class: "tools" }, button);
  let wipe = null;
  button.addEventListener("click", () => {
    if (!wipe) tools.after((wipe = makeWipe(item)));
    else wipe.hidden = !wipe.hidden;
    button.setAttribute("aria-expanded", String(!wipe.hidden));
  });
  item.querySelector(".shots").after(tools);
}

// A link that leads into a folded part unfolds it; not every browser does so by itself.

function unfold() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const folded = target?.closest("details:not([open])");
  if (!folded) return;
  folded.open = true;
  target.scrollIntoView();
}

// A picture that cannot be decoded is marked like one that is not there.

function markHole(image) {
  if (image.classList.contains("drawn")) return image.remove();
  const hole = make("span", { class: "hole", role: "img", "aria-label": image.alt + ": damaged file" });
  hole.append(make("span", {}, "damaged file"));
  image.closest("a, .stage")?.replaceWith(hole);
}

document.querySelectorAll("table.sortable").forEach(makeSortable);
document.querySelectorAll("[data-filter]").forEach(makeFilter);
document.querySelectorAll("pre.command").forEach(makeCopyable);
document.querySelectorAll("section.item").forEach(offerWipe);
addEventListener("hashchange", unfold);
unfold();
document.addEventListener("error", (event) => event.target.tagName === "IMG" && markHole(event.target), true);
document.querySelectorAll("section.item img").forEach((image) => image.complete && !image.naturalWidth && markHole(image));
