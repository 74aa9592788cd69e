"use strict";
// Without this page's script everything is shown at once, as in print.
const open = (id) => {
  const element = id && document.getElementById(id);
  for (let each = element; each; each = each.parentElement) {
    if (each.tagName === "DETAILS") each.open = true;
  }
  if (element) element.scrollIntoView({ block: "start" });
};
const follow = () => open(decodeURIComponent(location.hash.slice(1)));
addEventListener("hashchange", follow);
for (const walk of document.querySelectorAll(".walk")) {
  const steps = [...walk.querySelectorAll(":scope > .step")];
  if (steps.length < 2) continue;
  const label = walk.querySelector("output");
  let at = steps.length - 1;
  const show = (to) => {
    at = Math.max(0, Math.min(steps.length - 1, to));
    steps.forEach((each, index) => each.classList.toggle("here", index === at));
    label.textContent = `step ${at + 1} of ${steps.length}`;
  };
  const moves = { first: () => 0, back: () => at - 1, on: () => at + 1, last: () => steps.length - 1 };
  const keys = { ArrowLeft: "back", ArrowRight: "on", Home: "first", End: "last" };
  for (const button of walk.querySelectorAll("button")) {
    button.addEventListener("click", () => show(moves[button.dataset.move]()));
  }
  walk.addEventListener("keydown", (event) => {
    if (keys[event.key]) { show(moves[keys[event.key]]()); event.preventDefault(); }
  });
  walk.classList.add("on");
  show(at);
}
// What is open is what is printed.
const all = document.querySelector("nav button");
all.hidden = false;
all.addEventListener("click", () => {
  const wanted = all.getAttribute("aria-pressed") !== "true";
  for (const each of document.querySelectorAll("details")) each.open = wanted;
  all.setAttribute("aria-pressed", String(wanted));
  all.textContent = wanted ? "close all" : "open all";
});
follow();
