// What is left to do for formulas, which are typeset when the book is built (press/mathematics.py).
"use strict";
{
  // Nearly every formula needs these fonts: asked for now, not when the first formula is laid out.
  // From disk that would be an error, and needs no time.
  if (location.protocol !== "file:") {
    for (const font of ["Zero", "Main-Regular", "Math-Italic"]) {
      const link = Object.assign(document.createElement("link"), {
        rel: "preload", as: "font", type: "font/woff", crossOrigin: "",
        href: new URL(`mathematics/MathJax_${font}.woff`, document.currentScript.src).href,
      });
      document.head.append(link);
    }
  }

  // Copied, a formula is its TeX, between dollar signs as in a notebook.
  document.addEventListener("copy", (event) => {
    const selection = getSelection();
    if (!selection.rangeCount || event.target.closest?.("input, textarea")) return;
    const range = selection.getRangeAt(0).cloneRange();
    for (const [end, set] of [["startContainer", "setStartBefore"], ["endContainer", "setEndAfter"]]) {
      const node = range[end];
      const formula = (node.closest ? node : node.parentElement)?.closest("mjx-container");
      if (formula) range[set](formula);  // a formula is copied whole
    }
    const copied = document.createElement("div");
    copied.append(range.cloneContents());
    const formulas = copied.querySelectorAll("mjx-container");
    if (!formulas.length) return;
    for (const formula of formulas) {
      const marks = formula.hasAttribute("display") ? "$$" : "$";
      formula.replaceWith(marks + formula.dataset.tex + marks);
    }
    for (const link of copied.querySelectorAll(".headerlink")) link.remove();
    copied.style.cssText = "position: absolute; left: -999em";
    document.body.append(copied);  // only what is laid out has lines
    event.clipboardData.setData("text/plain", copied.innerText.trim());
    copied.remove();
    copied.removeAttribute("style");
    event.clipboardData.setData("text/html", copied.innerHTML);
    event.preventDefault();
  });
}
