// On the first page of all: shows the language read last, else the one the browser asks for.
// It never redirects, and without this script both languages are shown.
(() => {
  const root = document.documentElement;
  let language = null;
  try { language = localStorage.getItem("edition"); } catch { /* storage may be forbidden */ }
  language ??= navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => /zh|en/.test(tag)) ?? "en";
  root.dataset.show = language;  // before anything is drawn; landing.css hides the other
  root.lang = language === "zh" ? "zh-CN" : "en";
  addEventListener("DOMContentLoaded", () => {
    for (const other of document.querySelectorAll(`[data-lang]:not([data-lang="${language}"])`)) other.remove();
  });
})();
