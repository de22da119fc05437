// The field in the bar: `/` or Ctrl-K lead to it, and it answers while one types. The search itself
// (search.js) is loaded when the field is used.
"use strict";
(() => {
  addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, [contenteditable]");
    const slash = event.key === "/" && !event.ctrlKey && !event.metaKey && !typing;
    if (!slash && !(event.key === "k" && (event.ctrlKey || event.metaKey))) return;
    const fields = [...document.querySelectorAll("input[name=q]")];
    const field = fields.find((one) => one.checkVisibility());
    event.preventDefault();
    if (field) field.select();
    else document.querySelector("a.look")?.click();  // on a narrow screen the search is a page
  });

  for (const form of document.querySelectorAll("form.find")) {
    const input = form.querySelector("input"), list = document.createElement("ol");
    list.className = "hits";
    list.hidden = true;
    form.append(list);
    let waiting;
    const search = () => new Promise((done) => {
      if (form.ready) return done();
      const script = document.createElement("script");
      script.src = new URL("_static/search.js", form.action);
      script.onload = () => { form.ready = true; done(); };
      document.head.append(script);
    });
    input.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(async () => {
        await search();
        await Search.show(input.value, list, null, 5);
        list.hidden = !list.children.length;
      }, 200);
    });
    form.addEventListener("keydown", (event) => {
      const places = [input, ...list.querySelectorAll("a")];
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (event.key === "Escape") list.hidden = true;
      if (!step || list.hidden) return;
      event.preventDefault();
      places[places.indexOf(document.activeElement) + step]?.focus();
    });
    form.addEventListener("focusout", ({ relatedTarget }) => {
      if (!form.contains(relatedTarget)) list.hidden = true;
    });
    input.addEventListener("focus", () => { list.hidden = !list.children.length; });
  }
})();
