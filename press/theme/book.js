// The behaviour of a page: theme, contents, copying, printing. Deferred, and optional.
"use strict";
const root = document.documentElement;
const store = (key, value) => { try { localStorage.setItem(key, value); } catch { /* private */ } };

// --- Theme and edition, remembered -------------------------------------------------------------
const themes = document.querySelectorAll("button.theme");
function nameLook() {  // data-looks: the names of system, light, dark
  for (const button of themes) {
    const [system, light, dark] = button.dataset.looks.split("|");
    button.ariaLabel = button.title = `${button.dataset.name}: ${{ system, light, dark }[root.dataset.look]}`;
  }
}
for (const button of themes) {
  button.addEventListener("click", () => {  // the other one, this one for good, as the system is
    const order = darkSystem.matches ? ["system", "light", "dark"] : ["system", "dark", "light"];
    setLook(order[(order.indexOf(root.dataset.look) + 1) % 3]);
    store("theme", root.dataset.look);
    nameLook();
  });
}
nameLook();
if (root.dataset.edition) store("edition", root.dataset.edition);

// --- Where the reader is: marked in the contents of the page, kept when the language changes ---
const twin = document.querySelector("a.twin");
const sections = [...document.querySelectorAll("article :is(section, dt.sig)[id], .landing main section[id]")];
const sectionsOf = document.querySelector("nav.here");
const here = new Map([...document.querySelectorAll(".here li a")]
  .map((link) => [decodeURIComponent(link.hash.slice(1)), link]));
let current = null;
let moved = false;  // has the reader moved since an address was asked for?
for (const event of ["wheel", "touchmove", "keydown", "mousedown"]) {
  addEventListener(event, ({ target }) => {  // a mouse that takes hold of the scrollbar
    if (event !== "mousedown" || target === root) moved = true;
  }, { passive: true });
}

const anchored = () => document.getElementById(decodeURIComponent(location.hash.slice(1)));

function follow() {
  const line = 100;  // pixels: just below where a section comes to stand when one jumps to it
  const shown = sections.filter((s) => s.getClientRects().length);  // not of the other language
  let section = shown.filter((s) => s.getBoundingClientRect().top <= line).pop() ?? sections[0];
  const chosen = anchored()?.closest("section[id], dt.sig[id]");
  if (chosen && !moved) section = chosen;  // asked for: the page may still be on its way there
  else if (scrollY + innerHeight >= root.scrollHeight - 2) {  // the last ones cannot get up there
    if (chosen?.getBoundingClientRect().top >= 0) section = chosen;
    else if (scrollY > 0) section = sections.at(-1);
  }
  if (section === current) return;
  current = section;
  document.querySelector(".here .on")?.classList.remove("on");
  const link = here.get(current.id) ?? here.get("");
  if (link) {
    link.classList.add("on");
    const top = link.offsetTop, room = sectionsOf.clientHeight;  // in a long list it is in view
    if (top < sectionsOf.scrollTop || top + link.offsetHeight > sectionsOf.scrollTop + room) sectionsOf.scrollTop = top - room / 2;
  }
  for (const twin of document.querySelectorAll("a.twin")) {  // the first page of all has two
    twin.hash = current === sections[0] ? "" : current.id.replace(/^(.*)--(zh|en)$/, "$1");
  }
}
if (sections.length) {
  let waiting = false;
  const later = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; follow(); });
  };
  addEventListener("scroll", later, { passive: true });
  addEventListener("resize", later);
  addEventListener("hashchange", () => { moved = false; later(); });
  follow();
}
if (twin && !sections.length) twin.search = location.search;  // the search page keeps its question

// --- In a long list of contents, this page is in view -------------------------------------------
const contents = document.querySelector(".contents");
function showPlace() {  // as far as is needed, and so that no line is cut
  const place = contents.querySelector("a.current"), room = contents.clientHeight;
  if (!place) return;
  const covered = contents.querySelector(".sift").offsetHeight + 20;
  const wanted = covered + Math.min(place.offsetTop - room / 2, contents.scrollHeight - room);
  const line = [...contents.querySelectorAll("summary, li")].findLast((one) => one.offsetTop <= wanted && one.checkVisibility());
  contents.scrollTop = line && place.offsetTop > 0.9 * room ? line.offsetTop - covered : 0;
}
if (contents) {
  contents.addEventListener("toggle", showPlace);
  showPlace();
  document.fonts.ready.then(showPlace);  // with which lines have another height
}

sectionsOf?.addEventListener("click", (event) => {  // a link leads to a place on this page
  if (event.target.closest("a") && sectionsOf.matches(":popover-open")) sectionsOf.hidePopover();
});

// --- Code can be copied ------------------------------------------------------------------------
for (const block of document.querySelectorAll("main .highlight")) {
  if (!navigator.clipboard || block.closest(".cell_output")) continue;
  const button = document.createElement("button");
  button.className = "copy";
  const said = block.closest("[data-copy]").dataset;
  button.textContent = said.copy;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(block.querySelector("pre").textContent.trimEnd());
    button.textContent = said.copied;
    setTimeout(() => { button.textContent = said.copy; }, 1500);
  });
  block.append(button);
}

// --- All code can be shown ---------------------------------------------------------------------
const all = document.querySelector(".tools .all");
if (all) {
  all.hidden = false;
  all.addEventListener("change", (event) => {
    for (const code of document.querySelectorAll("details.hide")) code.open = event.target.checked;
  });
}

// --- What is wider than the page scrolls by itself, also by keyboard ---------------------------
function reachable() {  // reads all before it writes any: one layout, however many equations
  const inline = [...document.querySelectorAll("mjx-container:not([display])")];
  for (const math of inline) math.classList.remove("wide");
  const wide = inline.filter((math) =>
    Math.max(math.offsetWidth, math.firstElementChild.scrollWidth)
      > math.closest("p, li, dd, td, div").clientWidth);
  for (const math of wide) math.classList.add("wide");
  const boxes = [...document.querySelectorAll(
    "main pre, main .scroll, mjx-container:is([display], .wide)")];
  const scrolls = boxes.map((box) => box.scrollWidth > box.clientWidth);
  boxes.forEach((box, i) => {
    if (scrolls[i]) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  });
}
let asked;
const later = () => { cancelAnimationFrame(asked); asked = requestAnimationFrame(reachable); };
addEventListener("resize", later);
addEventListener("toggle", later, true);  // what is unfolded has a width only now
reachable();

// --- On paper answers are unfolded and everything is loaded -------------------------------------
const folded = [];
addEventListener("beforeprint", () => {
  for (const image of document.images) image.loading = "eager";
  for (const details of document.querySelectorAll("article details:not([open], .hide)")) {
    details.open = true;
    folded.push(details);
  }
});
addEventListener("afterprint", () => { while (folded.length) folded.pop().open = false; });
