/* The admin page renews itself while its box is ticked, and comes back as its reader left it. */
"use strict";

const SECONDS = 15;
const kept = sessionStorage;
const renew = document.getElementById("renew");
const lists = [...document.querySelectorAll("details")];

renew.closest("label").hidden = false; // without JavaScript nothing renews, and nothing is offered
renew.checked = kept.getItem("renew") !== "no";
renew.addEventListener("change", () => kept.setItem("renew", renew.checked ? "yes" : "no"));

const open = new Set(JSON.parse(kept.getItem("open") || "[]"));
lists.forEach((list, place) => {
  list.open = open.has(place);
  list.addEventListener("toggle", () => {
    kept.setItem("open", JSON.stringify(lists.flatMap((one, number) => (one.open ? [number] : []))));
  });
});

/* Nobody loses their place: while something but the page itself has the focus, it waits. */
setInterval(() => {
  const resting = [document.body, renew].includes(document.activeElement);
  if (renew.checked && resting && !document.hidden) location.reload();
}, 1000 * SECONDS);
