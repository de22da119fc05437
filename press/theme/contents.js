// The contents: a filter, and marks at what has been read. The marks stay in this browser.
"use strict";
(() => {
  const nav = document.querySelector(".contents");
  const lines = [...document.querySelectorAll(".contents li")];

  // --- Filter: lines with every word, in either language; parts without a line are hidden ---------
  const sift = document.querySelector(".sift");
  const parts = [...document.querySelectorAll(".contents details")];
  const open = parts.map((part) => part.open);
  function filter() {
    const words = sift.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const line of lines) {
      const text = `${line.textContent} ${line.dataset.twin ?? ""}`.toLowerCase();
      line.hidden = !words.every((word) => text.includes(word));
    }
    parts.forEach((part, i) => {
      const found = part.querySelector("li:not([hidden])");
      part.hidden = !found;
      part.open = words.length ? Boolean(found) : open[i];
    });
    const none = nav.querySelector(".none");
    none.textContent = lines.some((line) => !line.hidden) ? "" : none.dataset.none;
  }
  if (sift) {
    sift.hidden = false;
    sift.addEventListener("input", filter);
  }

  // --- Read: a chapter whose end has come into view -----------------------------------------------
  const stored = () => {
    try { return JSON.parse(localStorage.getItem("read")) ?? []; } catch { return []; }  // forbidden, damaged
  };
  function mark() {
    const read = stored();
    for (const seen of document.querySelectorAll(".seen")) seen.remove();
    for (const line of document.querySelectorAll("li[data-page]")) {
      if (!read.includes(line.dataset.page)) continue;
      const seen = document.createElement("span");
      seen.className = "seen";
      seen.textContent = "✓";
      seen.role = "img";
      seen.ariaLabel = line.closest("[data-read]").dataset.read;
      line.querySelector("a").append(seen);
    }
    for (const forget of document.querySelectorAll(".forget")) forget.hidden = !read.length;
  }
  function keep(read) {
    store("read", JSON.stringify(read));  // of book.js
    mark();
  }
  const here = nav?.querySelector("li[data-page]:has(.current)")?.dataset.page;
  const end = document.querySelector(".turn");
  if (here && end && !stored().includes(here)) {
    const watch = new IntersectionObserver(([{ isIntersecting }]) => {
      if (!isIntersecting || !scrollY) return;
      watch.disconnect();
      keep([...stored(), here]);
    });
    watch.observe(end);
  }
  document.addEventListener("click", (event) => {
    if (event.target.matches(".forget")) keep([]);
  });
  mark();
})();
