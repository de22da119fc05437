// What a link leads to shows beside it on hover and on focus: an equation, a claim, a note of this
// page; and what the page has brought along from others (press/previews.py), each in a <template>.
// It stays while the pointer is on it, and Escape closes it.
"use strict";
{
  const box = document.createElement("div");
  box.className = "preview";
  box.id = "preview";
  box.popover = "manual";  // above everything, also above a box that scrolls
  document.querySelector("main").append(box);
  const brought = new Map([...document.querySelectorAll("template[data-for]")].map((one) => [one.dataset.for, one]));
  let shown = null, waiting = 0;

  /** What a link leads to, if it can be shown. */
  function target(link) {
    const address = link.getAttribute("href");
    if (!address.startsWith("#")) return brought.get(address)?.content;
    const place = document.getElementById(decodeURIComponent(address.slice(1)));
    return place?.matches("div.math, .claim, aside.footnote") ? place : null;
  }

  function show(link) {
    const copy = target(link).cloneNode(true);
    for (const part of copy.querySelectorAll(".headerlink, .checked, .label")) part.remove();
    for (const part of [copy, ...copy.querySelectorAll("[id], [tabindex]")]) {
      part.removeAttribute?.("id");
      part.removeAttribute?.("tabindex");
    }
    box.replaceChildren(copy);
    box.showPopover();
    link.setAttribute("aria-describedby", box.id);
    shown = link;
    place();
  }

  function place() {
    const at = shown.getClientRects()[0], { width, height } = box.getBoundingClientRect();
    const below = at.bottom + height + 8 < innerHeight || at.top < height + 8;
    box.style.left = `${Math.max(8, Math.min(at.left, document.documentElement.clientWidth - width - 8))}px`;
    box.style.top = `${below ? at.bottom + 4 : at.top - height - 4}px`;
  }

  function hide() {
    clearTimeout(waiting);
    if (!shown) return;
    shown.removeAttribute("aria-describedby");
    shown = null;
    box.hidePopover();
  }

  function over(event) {
    clearTimeout(waiting);
    const link = event.target.closest?.("article a[href]:not(.headerlink, .checked)");
    if (link === shown || box.contains(event.target)) return;
    if (event.type === "focusin") {
      hide();
      if (link?.matches(":focus-visible") && target(link)) show(link);
    } else {
      waiting = setTimeout(() => { hide(); if (link && target(link)) show(link); }, 200);
    }
  }
  document.addEventListener("pointerover", (event) => { if (event.pointerType === "mouse") over(event); });
  document.addEventListener("focusin", over);
  document.addEventListener("focusout", hide);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  addEventListener("scroll", () => { if (shown) place(); }, { passive: true });
}
