// Shows one slide at a time. Arrow keys, Page Up and Down, space, Home, End; d: dark or light;
// f: the whole screen. While a knob has the focus the keys are its own, until Escape.
"use strict";
const root = document.documentElement, main = document.querySelector("main");
let slides = [], now = 0;

// What does not fit goes on to a slide of the same heading, also in the middle of a list; what never
// will is made smaller.
function spill(slide) {
  const body = slide.querySelector(".body");
  const full = () => body.scrollHeight > body.clientHeight + 1;
  if (!full()) return;
  const rest = slide.cloneNode(true), room = rest.querySelector(".body");
  room.replaceChildren();
  while (full() && body.children.length > 1) room.prepend(body.lastElementChild);
  const list = full() && body.querySelector(":scope > :is(ul, ol)");
  if (list) {
    const more = list.cloneNode(false);
    room.prepend(more);
    while (full() && list.children.length > 1) more.prepend(list.lastElementChild);
    if (list.localName === "ol") more.start = list.start + list.children.length;
  }
  if (full()) shrink(body, body.scrollHeight / body.clientHeight);
  if (!room.textContent.trim()) return;
  slide.after(rest);
  const pages = main.children.length;
  spill(rest);
  if (main.children.length === pages) even(list && room.children.length === 1 ? list : body, room);
}
// The last slide of a heading has about as much as the one before it.
function even(from, room) {
  const to = from.matches("ul, ol") ? room.firstElementChild : room;
  while (from.children.length > to.children.length + 1) {
    const last = from.lastElementChild;
    if (!last.matches("li, p, .claim")) break;  // belongs to the words before it
    to.prepend(last);
    if (room.scrollHeight > room.clientHeight + 1) {
      from.append(last);
      break;
    }
    if (to.localName === "ol") to.start -= 1;
  }
}
function shrink(element, excess) { element.style.zoom = 1 / excess; }

// A formula beside its number, code, a table: no wider than the slide.
function narrow(body) {
  for (const row of body.querySelectorAll("div.math, table, pre")) {
    const number = row.querySelector(".eqno"), drawn = row.querySelector("mjx-container > *");
    const gap = 2 * parseFloat(getComputedStyle(row).columnGap) || 0;
    const place = row.matches("div.math") ? row : row.parentElement;
    const room = place.clientWidth - (number ? number.offsetWidth + gap : 0);
    const width = drawn ? drawn.getBoundingClientRect().width : row.scrollWidth;
    if (width > room) shrink(drawn?.parentElement ?? row, width / room);
  }
}

function fit() {
  for (const body of main.querySelectorAll(".figure .body")) {  // no room beside it for its caption
    if (body.scrollHeight > body.clientHeight + 1) body.parentElement.classList.add("below");
  }
  for (const slide of main.querySelectorAll(".text")) {
    const body = slide.querySelector(".body");
    for (const size of [2.2, 1.9, 1.625]) {  // rem: few words are written large
      body.style.fontSize = `${size}rem`;
      if (body.scrollHeight <= body.clientHeight) break;
    }
    narrow(body);
    spill(slide);
  }
  root.classList.remove("measuring");
  slides = [...main.children];
}

function go(to) {
  now = Math.max(0, Math.min(slides.length - 1, to));
  slides.forEach((slide, i) => { slide.classList.toggle("now", i === now); });
  document.querySelector("nav output").value = `${now + 1} / ${slides.length}`;
  history.replaceState(null, "", `#${now + 1}`);
}
const steps = {
  ArrowRight: 1, ArrowDown: 1, PageDown: 1, " ": 1, ArrowLeft: -1, ArrowUp: -1, PageUp: -1,
  Home: -Infinity, End: Infinity,
};
function toggleTheme() { root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark"; }

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "Escape") document.activeElement.blur();
  else if (event.target.closest("input, button")) return;
  else if (event.key in steps) {
    event.preventDefault();
    go(now + steps[event.key]);
  } else if (event.key === "d") toggleTheme();
  else if (event.key === "f") document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen();
});
document.querySelector("nav .theme").addEventListener("click", toggleTheme);
document.querySelector("nav .back").addEventListener("click", () => go(now - 1));
document.querySelector("nav .forward").addEventListener("click", () => go(now + 1));
addEventListener("hashchange", () => go(location.hash.slice(1) - 1));

root.classList.add("measuring");  // all slides are laid out, and so ask for their fonts
void main.offsetHeight;
document.fonts.ready.then(() => {
  fit();
  go((+location.hash.slice(1) || 1) - 1);
  root.dataset.slides = "ready";
});
