// Turns a built page into what is printed; press/handouts/pdf.py runs it in the page.
// Returns the headings, [level, anchor, words], since neither they nor links survive as text alone.
({ answers, running, chapter, credit, numerals, nowhere }) => {
  for (const details of document.querySelectorAll("article details:not(.hide)")) {
    if (answers) details.open = true;
    else details.remove();
  }
  // Other pages have no address here: pdf.py makes of `nowhere` a place in the book, or nothing.
  const root = new URL(document.documentElement.dataset.content_root ?? "./", location).href;
  for (const link of document.querySelectorAll("article a[href]")) {
    const [page, place] = link.href.split("#");
    if (page === location.href.split("#")[0]) continue;
    if (page.startsWith(root)) {
      link.href = nowhere + page.slice(root.length) + (place === undefined ? "" : `#${place}`);
    } else if (link.protocol === "file:") link.removeAttribute("href");
  }
  // What is wider than the paper is made smaller, rather than cut or scrolled.
  const wide = [...document.querySelectorAll("article :is(table, mjx-container[display], svg.plot, img)")];
  const room = wide.map((e) => {
    const box = e.parentElement.getBoundingClientRect();
    return [box.width, e.scrollWidth || e.getBoundingClientRect().width];
  });
  wide.forEach((e, i) => { if (room[i][1] > room[i][0] + 1) e.style.zoom = room[i][0] / room[i][1]; });

  // A short table stays whole.
  for (const table of document.querySelectorAll("article table")) {
    if (table.offsetHeight < 300) table.classList.add("together");
  }

  // A screen reader, which has no eyes for how they are drawn, is given the TeX of formulas.
  for (const formula of document.querySelectorAll("mjx-container[data-tex]")) {
    formula.setAttribute("role", "img");
    formula.setAttribute("aria-label", `TeX: ${formula.dataset.tex}`);
    formula.querySelector("mjx-math").removeAttribute("aria-hidden");
  }

  const words = (heading) => {
    const copy = heading.cloneNode(true);
    for (const link of copy.querySelectorAll(".headerlink")) link.remove();
    for (const math of copy.querySelectorAll("mjx-container")) {
      math.replaceWith(math.querySelector("mjx-assistive-mml, math")?.textContent ?? "");
    }
    return copy.textContent.replace(/\s+/g, " ").trim();
  };
  const sans = getComputedStyle(document.documentElement).getPropertyValue("--sans");
  const small = `font: 8pt ${sans}; color: #59636e`;
  const said = (text) => `content: ${JSON.stringify(text)}; ${small}`;
  const style = document.createElement("style");
  style.textContent = `
    @page {
      @top-left { ${said(running)} }
      @top-right { ${said(chapter)} }
      @bottom-center { content: counter(page, ${numerals}); ${small} }
    }
    @page :first {
      @top-left { ${said(chapter && running)} } @top-right { ${said(chapter && credit)} }
      ${numerals === "decimal" ? "" : '@bottom-center { content: "" }'}
    }`;
  document.head.append(style);
  const headings = [...document.querySelectorAll("article section[id] > :is(h1, h2, h3, h4)")]
    .map((h) => [+h.localName[1], h.parentElement.id, words(h)]);
  // Between a heading and the one below it stands nothing at which a page could end.
  for (const place of document.querySelectorAll("article section > span[id]:empty:first-child")) {
    place.nextElementSibling?.prepend(place);
  }
  for (const section of document.querySelectorAll("article :is(h2, h3) + section")) {
    const pieces = [section.previousElementSibling, section.children[0]];
    if (section.children[1]?.matches("p")) pieces.push(section.children[1]);
    const together = document.createElement("div");
    together.className = "together";
    section.prepend(together);
    together.append(...pieces);
  }
  return headings;
}
