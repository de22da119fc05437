// Lists of the back matter: what is typed leaves only the entries that have all of its words.
"use strict";
for (const field of document.querySelectorAll("[data-filter]")) {
  const entries = [...document.querySelectorAll(field.dataset.filter)];
  const texts = entries.map((entry) => (entry.textContent
    + (entry.nextElementSibling?.matches("dd") ? entry.nextElementSibling.textContent : "")).toLowerCase());
  field.parentElement.hidden = false;
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    entries.forEach((entry, i) => {
      entry.hidden = !words.every((word) => texts[i].includes(word));
      if (entry.matches("dt")) entry.nextElementSibling.hidden = entry.hidden;
      shown += !entry.hidden;
    });
    field.parentElement.querySelector("output").textContent = words.length ? `${shown} / ${entries.length}` : "";
  });
}
