// The contents: a filter, and marks at what has been read. The marks stay in this browser.
"use strict";
const Contents = (() => {
  const base = new URL("../", document.currentScript.src);
  const nav = document.querySelector(".contents");
  const lines = [...document.querySelectorAll(".contents li")];

  // --- Filter: lines with every word, in either language; parts without a line are hidden ---------
  const sift = document.querySelector(".sift");
  const parts = [...document.querySelectorAll(".contents details")];
  const open = parts.map((part) => part.open);
  let terms = null;  // of the glossary, [name, in the other language, address, other names…]; asked for when needed
  const list = document.createElement("ul");
  list.className = "terms";
  function showTerms(words) {
    const found = words.length ? (terms ?? []).filter(([name, twin, , ...also]) =>
      words.every((word) => [name, twin, ...also].join(" ").toLowerCase().includes(word))) : [];
    const begins = ([name, twin, , ...also]) => [name, twin, ...also].some((one) => one.toLowerCase().startsWith(words[0]));
    found.sort((a, b) => begins(b) - begins(a));
    list.replaceChildren(...found.slice(0, 8).map(([name, , address]) => {
      const line = document.createElement("li"), link = document.createElement("a");
      link.href = new URL(address, base);
      link.textContent = name;
      line.append(link);
      return line;
    }));
    title.hidden = list.hidden = !found.length;
    return found.length;
  }
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
    const known = showTerms(words);
    const none = nav.querySelector(".none");
    none.textContent = known || lines.some((line) => !line.hidden) ? "" : none.dataset.none;
  }
  const title = document.createElement("p");
  if (sift) {
    sift.hidden = false;
    title.className = "caption";
    title.textContent = nav.dataset.terms;
    nav.querySelector(".none").before(title, list);
    showTerms([]);
    sift.addEventListener("input", () => {
      if (!terms) {
        terms = [];
        const script = document.createElement("script");
        script.src = new URL("_search/terms.js", base);
        document.head.append(script);
      }
      filter();
    });
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

  return { terms: (given) => { terms = given; filter(); } };
})();
